import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

// A registered member, and the codes that would be on their phone and in their mail.

struct AskedSeen: Decodable {
    let id: StepUp.ID
    let expiresAt: Timestamp
    let resendAt: Timestamp?
}

struct MailedSeen: Decodable {
    let id: Challenge.ID
}

struct PhoneChangeSeen: Decodable {
    let id: StepUp.ID
    let newPhone: ChallengeSeen
}

struct WholeProfileSeen: Decodable {
    let fullName: FullName
    let phone: PhoneNumber?
    let birthday: String?
    let email: String?
    let favouriteStore: String?
    let language: String
    let spendingLocked: Bool
    let card: CardNumber
    let consents: [ProfileSeen.Consent]

    func isGranted(_ purpose: String, _ channel: String) -> Bool {
        self.consents.contains { $0.purpose == purpose && $0.channel == channel && $0.granted }
    }
}

extension AuthWorld {
    /// The code of a step-up, as its message would carry it.
    func code(of id: StepUp.ID) async throws -> String {
        let row = try await self.owner.one(
            "select pepper_id, binding from auth.challenge where challenge_id = \(id)")
        let (pepper, binding) = try row.decode(Int32.self, [UInt8].self)
        let code = try await self.parts.peppers.code(
            of: Challenge.ID(id.raw),
            ChallengeStore.Derivation(digits: .six, pepper: pepper, binding: StepUpBinding(binding)),
            on: self.database)
        return try #require(code).reveal()
    }

    /// Six digits that are not the right ones.
    func wrongCode(of id: StepUp.ID) async throws -> String {
        let right = try await self.code(of: id)
        return String(right.dropLast()) + (right.last == "0" ? "1" : "0")
    }

    /// The code in a mail.
    func mailedCode(_ id: Challenge.ID, to address: String) async throws -> String {
        let row = try await self.owner.one(
            """
            select purpose, email, pepper_id, expires_at
            from auth.email_challenge
            where challenge_id = \(id)
            """)
        let (purpose, email, pepper, expiresAt) = try row.decode(
            EmailChallengeStore.Purpose.self, [UInt8].self, Int32.self, Timestamp.self)
        let stored = EmailChallengeStore.Stored(
            id: id, purpose: purpose, sealedEmail: email, pepper: pepper, expiresAt: expiresAt)
        let code = try await self.parts.peppers.code(
            of: id, MailCode.derivation(stored, #require(EmailAddress(address))), on: self.database)
        return try #require(code).reveal()
    }

    /// What waits in a queue that this test subscribed, oldest first.
    func heard<E: Event>(_ type: E.Type, in queue: String = "tests.events") async throws -> [E] {
        try await self.owner.query(
            """
            select j.args::text
            from queue.job j
            join queue.queue q on q.id = j.queue_id
            where q.name = \(queue) and j.kind = \(E.name)
            order by j.id
            """
        ).map { try JSONDecoder().decode(E.self, from: Data($0.decode(String.self).utf8)) }
    }

    /// How many messages of a kind wait, which may be sealed.
    func waiting(_ kind: String) async throws -> Int {
        try await self.owner.one("select count(*) from queue.job where kind = \(kind)").decode(Int.self)
    }

    /// An access token of a colleague with these roles.
    func staffToken(_ roles: Set<StaffRole>) async throws -> String {
        try await self.parts.signer.signStaffToken(
            staff: Staff.ID(UUID(random: self.random)), roles: roles, session: Session.ID(UUID(random: self.random))
        ).text
    }

    /// A session of a member on another device.
    func logInAgain(_ phone: String = "+79161234567") async throws -> Tokens {
        guard case .member(let tokens) = try await self.logIn(phone) else { throw UnexpectedOutcome() }
        return tokens
    }
}

extension TestClientProtocol {
    /// Asks for an action that takes a code.
    func action(_ path: String, _ token: String) async throws -> AskedSeen {
        let answer = try await self.ask(.post, path, token: token)
        try #require(answer.status == 202, "\(answer.text)")
        return try answer.read()
    }

    func confirm(_ path: String, _ code: String, _ token: String) async throws -> Answered {
        try await self.ask(.post, path + "/confirmation", #"{"code":"\#(code)"}"#, token: token)
    }
}
