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
        /// Whether the code could still be used: a message that comes after that only confuses.
        let isWanted: Bool
    }

    func find(
        _ challenge: Challenge.ID, sending: Int, at now: Timestamp, on database: Database
    ) async throws -> Sending? {
        let row = try await database.first(
            """
            select
                s.reference, s.state, c.digits, c.pepper_id, c.phone_index, c.phone,
                c.verified_at is null and c.expires_at > \(now)
            from auth.sms s
            join auth.challenge c using (challenge_id)
            where s.challenge_id = \(challenge) and s.sending = \(sending)
            """)
        guard let row else { return nil }
        let (reference, state, digits, pepper, phoneIndex, phone, isWanted) = try row.decode(
            UUID.self, DeliveryState.self, CodeLength.self, Int32.self, [UInt8].self, [UInt8].self, Bool.self)
        return Sending(
            reference: reference, state: state,
            derivation: ChallengeStore.Derivation(digits: digits, pepper: pepper), phoneIndex: phoneIndex,
            sealedPhone: phone, isWanted: isWanted)
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
