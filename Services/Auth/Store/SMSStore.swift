import FoundationEssentials
import Kernel
import Postgres

/// The sendings of codes, how far each came, and the development gateway's outbox.
struct SMSStore: Sendable {
    func insert(
        reference: UUID, of challenge: Challenge.ID, sending: Int, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.sms (reference, challenge_id, sending, changed_at)
            values (\(reference), \(challenge), \(sending), \(now))
            """)
    }

    /// What one sending takes.
    struct Sending: Sendable {
        let reference: UUID
        let state: DeliveryState
        let derivation: ChallengeStore.Derivation
        let phoneIndex: [UInt8]
        let sealedPhone: [UInt8]
        let purpose: ChallengePurpose
        /// What a step-up code confirms, sealed, and in which language the member is told.
        let stepUp: (sealedSubject: [UInt8], language: MemberLanguage)?
        /// Whether the code could still be used: a message that comes after that only confuses.
        let isWanted: Bool
    }

    func find(
        _ challenge: Challenge.ID, sending: Int, at now: Timestamp, on database: Database
    ) async throws -> Sending? {
        let row = try await database.first(
            """
            select
                s.reference, s.state, c.digits, c.pepper_id, c.binding, c.phone_index, c.phone, c.purpose,
                u.subject, m.language, c.verified_at is null and c.expires_at > \(now) and not c.is_decoy as is_wanted
            from auth.sms s
            join auth.challenge c using (challenge_id)
            left join auth.step_up u using (challenge_id)
            left join auth.member m using (member_id)
            where s.challenge_id = \(challenge) and s.sending = \(sending)
            """)
        guard let row else { return nil }
        let subject = try row.value("subject", as: [UInt8]?.self)
        let language = try row.value("language", as: MemberLanguage?.self)
        return Sending(
            reference: try row.value("reference"), state: try row.value("state"),
            derivation: ChallengeStore.Derivation(
                digits: try row.value("digits"), pepper: try row.value("pepper_id"),
                binding: try row.value("binding", as: [UInt8]?.self).map { StepUpBinding($0) }),
            phoneIndex: try row.value("phone_index"), sealedPhone: try row.value("phone"),
            purpose: try row.value("purpose"), stepUp: subject.map { ($0, language ?? .russian) },
            isWanted: try row.value("is_wanted"))
    }

    /// Raises the state of a message; a report that is older or repeated changes nothing.
    /// - Returns: whether the state rose.
    @discardableResult
    func advance(
        _ reference: UUID, to state: DeliveryState, at now: Timestamp, on database: Database
    ) async throws -> Bool {
        try await database.execute(
            """
            update auth.sms
            set state = \(state), changed_at = \(now)
            where reference = \(reference) and state < \(state)
            """) == 1
    }

    /// Puts a message where `club sms` finds it; the same reference twice is one message.
    func putIntoOutbox(
        _ text: String, to phone: PhoneNumber, reference: UUID, at now: Timestamp, on database: Database
    ) async throws {
        try await database.execute(
            """
            insert into auth.sms_outbox (reference, recipient, body, sent_at)
            values (\(reference), \(phone.e164), \(text), \(now))
            on conflict (reference) do nothing
            """)
    }

    /// The newest messages of the outbox, newest first, of one phone or of all.
    func outbox(_ phone: PhoneNumber?, limit: Int, on database: Database) async throws -> [OutboxMessage] {
        try await database.query(
            """
            select recipient, body, sent_at
            from auth.sms_outbox
            where recipient = coalesce(\(phone?.e164), recipient)
            order by message_id desc
            limit \(limit)
            """
        ).map { row in
            let (recipient, body, sentAt) = try row.decode(String.self, String.self, Timestamp.self)
            return OutboxMessage(recipient: recipient, text: body, sentAt: sentAt)
        }
    }
}

extension DeliveryState: PostgresWrapper {}
extension ChallengePurpose: PostgresWrapper {}
extension MemberLanguage: PostgresWrapper {}

extension MemberZone: PostgresWrapper {}
