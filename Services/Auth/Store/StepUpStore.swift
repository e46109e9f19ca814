import Contracts
import Kernel
import Postgres

/// Step-up codes: challenges that are bound to an action of a member.
struct StepUpStore: Sendable {
    /// Whom a code is sent to.
    struct Holder: Sendable {
        let isActive: Bool
        let isSpendingLocked: Bool
        let wrappedKey: [UInt8]
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
    }

    /// A member who has a phone, under the row lock that makes requests for codes of one member follow each other; nil
    /// for everybody else.
    func lock(_ member: Member.ID, in transaction: borrowing Transaction) async throws -> Holder? {
        let row = try await transaction.first(
            """
            select
                m.state = 'active' as is_active,
                m.is_spending_locked or m.value_held_until is not null as is_spending_locked, p.wrapped_key, p.phone,
                p.phone_index
            from auth.member m
            join auth.personal_data p using (member_id)
            where m.member_id = \(member)
                and m.state <> 'erased'
                and p.wrapped_key is not null
                and p.phone_index is not null
            for no key update of m
            """)
        guard let row else { return nil }
        return Holder(
            isActive: try row.value("is_active"), isSpendingLocked: try row.value("is_spending_locked"),
            wrappedKey: try row.value("wrapped_key"), sealedPhone: try row.value("phone"),
            phoneIndex: try row.value("phone_index"))
    }

    /// A code that was sent before.
    struct Sent: Sendable {
        let challenge: CodeChallenge
        let member: Member.ID
        let binding: StepUpBinding
    }

    func find(_ id: StepUp.ID, in transaction: borrowing Transaction) async throws -> Sent? {
        let row = try await transaction.first(
            """
            select
                s.member_id, c.binding, c.digits, c.sends, c.created_at, c.sent_at, c.expires_at,
                c.verified_at is not null as is_verified
            from auth.step_up s
            join auth.challenge c using (challenge_id)
            where s.challenge_id = \(id)
            """)
        guard let row else { return nil }
        return Sent(
            challenge: CodeChallenge(
                id: Challenge.ID(id.raw), digits: try row.value("digits"), sends: try row.value("sends"),
                createdAt: try row.value("created_at"), sentAt: try row.value("sent_at"),
                expiresAt: try row.value("expires_at"), isVerified: try row.value("is_verified")),
            member: try row.value("member_id"), binding: StepUpBinding(try row.value("binding")))
    }

    /// When codes were sent to a member within a day.
    func recent(_ member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws
        -> [Timestamp]
    {
        try await transaction.query(
            """
            select created_at
            from auth.step_up
            where member_id = \(member) and created_at > \(now - ChallengeQuotas.day)
            """
        ).map { try $0.decode(Timestamp.self) }
    }

    func insert(
        _ id: StepUp.ID, of member: Member.ID, sealedSubject: [UInt8], at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.step_up (challenge_id, member_id, subject, created_at)
            values (\(id), \(member), \(sealedSubject), \(now))
            """)
    }

    /// A charged attempt.
    struct Charged: Sendable {
        let derivation: ChallengeStore.Derivation
        let binding: StepUpBinding
        /// The code was right once: this is the repetition of a request.
        let isUsed: Bool
    }

    /// Repetitions of a request with the right code, whose first answer was lost.
    static let repetitionsMax = 16

    /// Counts one attempt in a statement that is committed before anything is compared. nil, with nothing to compare, when
    /// the member has no such code, it lapsed, or its attempts are used up.
    func chargeAttempt(
        _ id: StepUp.ID, of member: Member.ID, rules: ChallengeRules, at now: Timestamp, on database: Database
    ) async throws -> Charged? {
        let row = try await database.first(
            """
            update auth.challenge c
            set attempts = c.attempts + 1
            from auth.step_up s
            where c.challenge_id = \(id)
                and s.challenge_id = c.challenge_id
                and s.member_id = \(member)
                and case
                    when c.verified_at is null then c.attempts < \(rules.attempts) and c.expires_at > \(now)
                    else c.attempts < \(rules.attempts + Self.repetitionsMax)
                end
            returning c.digits, c.pepper_id, c.binding, c.verified_at is not null
            """)
        guard let row else { return nil }
        let (digits, pepper, bytes, isUsed) = try row.decode(CodeLength.self, Int32.self, [UInt8].self, Bool.self)
        let binding = StepUpBinding(bytes)
        return Charged(
            derivation: ChallengeStore.Derivation(digits: digits, pepper: pepper, binding: binding), binding: binding,
            isUsed: isUsed)
    }

    /// Uses a code up; false when it was used before.
    func use(_ id: StepUp.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.challenge
            set verified_at = \(now)
            where challenge_id = \(id) and verified_at is null
            """) == 1
    }
}
