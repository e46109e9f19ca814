import Contracts
import FoundationEssentials
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@testable import Auth

/// A gateway that does what the test says and remembers what it was given.
final class ScriptedGateway: SMSGateway, MailGateway, PushGateway {
    struct Taken: Hashable, Sendable {
        let recipient: String
        let text: String
        let reference: UUID
    }

    private let taken = NIOLockedValueBox<[Taken]>([])
    private let script: @Sendable (Int) throws -> DeliveryState

    /// - Parameter script: what becomes of the message with that number, from 1.
    init(_ script: @escaping @Sendable (Int) throws -> DeliveryState = { _ in .accepted }) { self.script = script }

    var messages: [Taken] { self.taken.withLockedValue { $0 } }

    private func take(_ recipient: String, _ text: String, _ reference: UUID) throws -> DeliveryState {
        let number = self.taken.withLockedValue { taken in
            taken.append(Taken(recipient: recipient, text: text, reference: reference))
            return taken.count
        }
        return try self.script(number)
    }

    func send(to phone: PhoneNumber, text: String, reference: UUID) async throws -> DeliveryState {
        try self.take(phone.e164, text, reference)
    }

    func send(_ mail: OutgoingMail, reference: UUID) async throws -> DeliveryState {
        try self.take(mail.recipient.address, mail.body, reference)
    }

    func send(title: String, body: String, to device: Device, reference: UUID) async throws -> DeliveryState {
        try self.take(device.token.text, body, reference)
    }
}

extension AuthWorld {
    /// Something to tell.
    func notice(
        to recipient: Notify.Recipient, _ purpose: Notify.Purpose = .service,
        by channels: [Notify.Channel] = [.push, .sms, .email], notBefore: Timestamp? = nil,
        expiresAt: Timestamp? = nil
    ) -> Notify {
        Notify(
            id: Notice.ID(UUID()), recipient: recipient, purpose: purpose, channels: channels,
            russian: Notify.Text(subject: "Тема", body: "Привет"),
            english: Notify.Text(subject: "Subject", body: "Hello"),
            notBefore: notBefore, expiresAt: expiresAt)
    }

    /// How something told stands.
    func standing(of notice: Notify) async throws -> (state: NoticeState, channel: String?, reason: String?) {
        let row = try await self.owner.one(
            "select state, channel, reason from auth.notification where notice_id = \(notice.id)")
        let (state, channel, reason) = try row.decode(NoticeState.self, String?.self, String?.self)
        return (state, channel, reason)
    }

    /// What was told to the others about a notification, in order.
    func news(of notice: Notify) async throws -> [NotificationMoved] {
        let rows = try await self.owner.query(
            "select args::text from queue.job where args ->> 'id' = \(notice.id.description) order by id")
        return try rows.map {
            try JSONDecoder().decode(NotificationMoved.self, from: Data($0.decode(String.self).utf8))
        }
    }

    /// Gives a member a verified address, as the profile does.
    func setEmail(_ address: String, of member: Member.ID) async throws {
        let wrapped = try await self.owner.one(
            "select wrapped_key from auth.personal_data where member_id = \(member)")
        let key = try self.vault.unwrap(wrapped.decode([UInt8].self), of: member)
        let sealed = try key.seal(address, field: .email)
        try await self.owner.execute(
            """
            update auth.personal_data
            set email = \(sealed), email_verified_at = \(self.clock.now)
            where member_id = \(member)
            """)
    }

    /// Appends a choice to the consent ledger.
    func consent(_ member: Member.ID, _ purpose: String, _ channel: String, granted: Bool = true) async throws {
        try await self.owner.execute(
            """
            insert into auth.consent (member_id, purpose, channel, text_version, granted, source, recorded_at)
            values (\(member), \(purpose), \(channel), '2026-11', \(granted), 'cabinet', \(self.clock.now))
            """)
    }
}
