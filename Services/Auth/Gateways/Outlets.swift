import FoundationEssentials
import Kernel
import Postgres

/// Why a gateway did not take a message. Anything else that is thrown counts as ``unclear``.
enum GatewayFailure: Error, Hashable {
    /// It will never take this one: an address that does not exist, a text that it does not like. A code for logs.
    case refused(String)
    /// It took nothing; the same may be tried again at once.
    case unavailable(String)
    /// It may have taken it: the connection ended before the answer. A report may still tell.
    case unclear(String)
}

/// A message by e-mail, before it is written down in the way that mail has.
struct OutgoingMail: Sendable {
    let recipient: EmailAddress
    let subject: String
    let body: String
    /// Where answers go; nil for the sender's own address.
    let replyTo: EmailAddress?
    /// Names this message, without the angle brackets; nil lets the gateway make a name of the reference.
    let messageID: String?
    /// Names the message that it answers, without the angle brackets.
    let inReplyTo: String?
}

/// The way out to mailboxes.
protocol MailGateway: Sendable {
    /// Hands over one message; with the same reference twice it has the same name both times (RFC 5322, 3.6.4).
    /// - Returns: how far the message is known to have come.
    /// - Throws: ``GatewayFailure``.
    func send(_ mail: OutgoingMail, reference: UUID) async throws -> DeliveryState
}

/// A device that a member uses the app on.
struct Device: Sendable {
    enum Platform: String, Codable, Hashable, Sendable { case ios, android, web }

    let platform: Platform
    /// What the platform gave the app; whoever holds it can push to the device.
    let token: Secret
}

/// The way out to the screens of devices. The platforms' own services want accounts with Apple and Google; this is the
/// port that adapters for them plug into.
protocol PushGateway: Sendable {
    /// Hands over one message for one device.
    /// - Throws: ``GatewayFailure``; `refused` when the device is not there any more, then its token is forgotten.
    func send(title: String, body: String, to device: Device, reference: UUID) async throws -> DeliveryState
}

/// The gateway for development and tests: messages go into a table that `club mail` shows.
struct OutboxMailGateway: MailGateway {
    let database: Database
    let clock: any WallClock

    func send(_ mail: OutgoingMail, reference: UUID) async throws -> DeliveryState {
        try await OutboxStore().put(mail, reference: reference, at: self.clock.now, on: self.database)
        return .delivered
    }
}

/// The gateway for development and tests: messages go into a table.
struct OutboxPushGateway: PushGateway {
    let database: Database
    let clock: any WallClock

    func send(title: String, body: String, to device: Device, reference: UUID) async throws -> DeliveryState {
        try await OutboxStore().put(
            title: title, body: body, device: device, reference: reference, at: self.clock.now, on: self.database)
        return .delivered
    }
}
