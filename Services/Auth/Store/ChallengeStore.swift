import Kernel
import Postgres

/// Challenges: what was handed out, sent again, tried and verified.
struct ChallengeStore: Sendable {
    /// What is stored of a challenge beside its state.
    struct Origin: Sendable {
        var purpose = ChallengePurpose.login
        let pepper: Int32
        let phoneIndex: [UInt8]
        let sealedPhone: [UInt8]
        let prefix: String
        /// nil where a service asked over the bus.
        let networkIndex: [UInt8]?
        /// What a step-up code confirms.
        var binding: StepUpBinding?
        /// Asked for by card number.
        var isByCard = false
        /// No message goes out, and no answer is right.
        var isDecoy = false
    }

    func insert(_ challenge: CodeChallenge, from origin: Origin, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into auth.challenge
                (challenge_id, purpose, pepper_id, phone_index, phone, prefix, network_index, binding, by_card, is_decoy,
                 digits, sends, created_at, sent_at, expires_at)
            values
                (\(challenge.id), \(origin.purpose.rawValue), \(origin.pepper), \(origin.phoneIndex),
                 \(origin.sealedPhone), \(origin.prefix), \(origin.networkIndex), \(origin.binding?.bytes),
                 \(origin.isByCard), \(origin.isDecoy), \(challenge.digits.rawValue), \(challenge.sends), \(challenge.createdAt),
                 \(challenge.sentAt), \(challenge.expiresAt))
            """)
    }

    /// How far the last message of a challenge came; nil when there is no such challenge. Of one that was asked for by card
    /// it is always the same, for a decoy has no message.
    func delivery(of id: Challenge.ID, at now: Timestamp, on database: Database) async throws -> DeliveryState? {
        try await database.first(
            """
            select case when c.by_card then 1::smallint else s.state end
            from auth.challenge c
            join auth.sms s using (challenge_id)
            where c.challenge_id = \(id) and s.sending = c.sends and c.purpose <> 'step-up' and c.expires_at > \(now)
            """)?.decode(DeliveryState.self)
    }

    /// A challenge as it is sent again.
    struct Locked: Sendable {
        let challenge: CodeChallenge
        let prefix: String
        let isDecoy: Bool
    }

    /// The challenge under its row lock; nil when there is none.
    /// - Parameter member: whose step-up it must be; nil for a challenge that is no step-up.
    func lock(_ id: Challenge.ID, of member: Member.ID?, in transaction: borrowing Transaction) async throws -> Locked?
    {
        let row = try await transaction.first(
            """
            select
                c.digits, c.sends, c.created_at, c.sent_at, c.expires_at, c.verified_at is not null, c.prefix, c.is_decoy
            from auth.challenge c
            where c.challenge_id = \(id)
                and (select s.member_id from auth.step_up s where s.challenge_id = c.challenge_id)
                    is not distinct from \(member)
            for update
            """)
        guard let row else { return nil }
        let (digits, sends, created, sent, expires, verified, prefix, isDecoy) = try row.decode(
            CodeLength.self, Int.self, Timestamp.self, Timestamp.self, Timestamp.self, Bool.self, String.self, Bool.self
        )
        let challenge = CodeChallenge(
            id: id, digits: digits, sends: sends, createdAt: created, sentAt: sent, expiresAt: expires,
            isVerified: verified)
        return Locked(challenge: challenge, prefix: prefix, isDecoy: isDecoy)
    }

    /// Stores that the code was sent once more. The count of attempts is not touched.
    func saveResend(_ challenge: CodeChallenge, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.challenge
            set sends = \(challenge.sends), sent_at = \(challenge.sentAt), expires_at = \(challenge.expiresAt)
            where challenge_id = \(challenge.id)
            """)
    }

    /// What a code is derived with.
    struct Derivation: Sendable {
        let digits: CodeLength
        let pepper: Int32
        var binding: StepUpBinding?
        /// No answer is right.
        var isDecoy = false
    }

    /// Counts one attempt, of the challenge and of the phone over all its challenges, in one statement that is
    /// committed before anything is compared: whoever dies, retries or comes fifty times at once has spent it.
    ///
    /// nil, with nothing to compare, when there is no such challenge, it was verified, it lapsed, its attempts are used
    /// up, or its code is too short for a phone with so many failures in a row.
    func chargeAttempt(
        _ id: Challenge.ID, for purpose: ChallengePurpose, rules: ChallengeRules, quotas: ChallengeQuotas,
        at now: Timestamp, on database: Database
    ) async throws -> Derivation? {
        let row = try await database.first(
            """
            with charged as (
                update auth.challenge
                set attempts = attempts + 1
                where challenge_id = \(id)
                    and purpose = \(purpose.rawValue)
                    and verified_at is null
                    and attempts < \(rules.attempts)
                    and expires_at > \(now)
                returning digits, pepper_id, phone_index, is_decoy
            ),
            counted as (
                update auth.throttle t
                set failures = t.failures + 1,
                    restricted_until = case
                        when t.failures + 1 >= \(quotas.failuresInRow) then \(now + quotas.restriction)
                        else t.restricted_until
                    end,
                    touched_at = \(now)
                from charged c
                where t.scope = 'phone'
                    and t.key = c.phone_index
                    and (c.digits > 4 or coalesce(t.restricted_until <= \(now), true))
                returning t.key
            )
            select c.digits, c.pepper_id, c.is_decoy
            from charged c
            join counted on counted.key = c.phone_index
            """)
        guard let row else { return nil }
        let (digits, pepper, isDecoy) = try row.decode(CodeLength.self, Int32.self, Bool.self)
        return Derivation(digits: digits, pepper: pepper, isDecoy: isDecoy)
    }

    /// Uses the challenge up and ends the phone's row of failures. A restriction that this very check had set is
    /// lifted: only a check within a restriction is made with six digits.
    /// - Returns: the phone that was proved, or nil when another request verified the challenge first.
    func verify(
        _ id: Challenge.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (phoneIndex: [UInt8], sealedPhone: [UInt8])? {
        let row = try await transaction.first(
            """
            with verified as (
                update auth.challenge
                set verified_at = \(now)
                where challenge_id = \(id) and verified_at is null
                returning phone_index, phone, digits
            ),
            forgiven as (
                update auth.throttle t
                set failures = 0,
                    restricted_until = case when v.digits = 4 then null else t.restricted_until end
                from verified v
                where t.scope = 'phone' and t.key = v.phone_index
            )
            select phone_index, phone from verified
            """)
        return try row?.decode([UInt8].self, [UInt8].self)
    }
}

extension CodeLength: PostgresWrapper {}
