import Kernel
import Postgres

/// What the admission of a challenge is judged by: the throttle rows, what was handed out lately, the budget, the
/// checks.
struct AdmissionStore: Sendable {
    /// The three things a request for a code is counted by.
    struct Keys: Sendable {
        let phone: [UInt8]
        let network: [UInt8]
        /// Seven digits.
        let prefix: String
    }

    /// Locks the rows of the three keys, always in the same order, until the transaction ends: requests that share one
    /// are judged one after the other.
    /// - Returns: until when the phone gets six digits and the prefix gets nothing.
    func lock(
        _ keys: Keys, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (phoneUntil: Timestamp?, prefixUntil: Timestamp?) {
        let rows = try await transaction.query(
            """
            insert into auth.throttle (scope, key, touched_at)
            values
                ('phone', \(keys.phone), \(now)),
                ('network', \(keys.network), \(now)),
                ('prefix', convert_to(\(keys.prefix), 'UTF8'), \(now))
            on conflict (scope, key) do update set touched_at = excluded.touched_at
            returning scope, restricted_until
            """)
        var found: [String: Timestamp] = [:]
        for row in rows {
            let (scope, until) = try row.decode(String.self, Timestamp?.self)
            found[scope] = until
        }
        return (found["phone"], found["prefix"])
    }

    /// What was handed out within the windows of the quotas.
    func recent(
        _ keys: Keys, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> RecentChallenges {
        let row = try await transaction.one(
            """
            select
                array(
                    select created_at
                    from auth.challenge
                    where phone_index = \(keys.phone)
                        and created_at > \(now - ChallengeQuotas.day)
                        and purpose <> 'step-up'
                ),
                array(
                    select created_at
                    from auth.challenge
                    where network_index = \(keys.network) and created_at > \(now - ChallengeQuotas.hour)
                ),
                (
                    select count(distinct phone_index)
                    from auth.challenge
                    where network_index = \(keys.network)
                        and created_at > \(now - ChallengeQuotas.hour)
                        and phone_index <> \(keys.phone)
                ),
                array(
                    select created_at
                    from auth.challenge
                    where prefix = \(keys.prefix)
                        and created_at > \(now - ChallengeQuotas.hour)
                        and purpose <> 'step-up'
                )
            """)
        let (phone, network, others, prefix) = try row.decode(
            [Timestamp].self, [Timestamp].self, Int.self, [Timestamp].self)
        return RecentChallenges(phone: phone, network: network, otherPhonesOfNetwork: others, prefix: prefix)
    }

    /// What became of a prefix's challenges within an hour; the ones younger than `settling` only if verified.
    func conversion(
        prefix: String, settling: Duration, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> PumpingWatch.Conversion {
        let row = try await transaction.one(
            """
            select coalesce(sum(sends), 0), count(*), count(verified_at)
            from auth.challenge
            where prefix = \(prefix)
                and created_at > \(now - ChallengeQuotas.hour)
                and not is_decoy
                and (verified_at is not null or created_at <= \(now - settling))
            """)
        let (sends, challenges, verified) = try row.decode(Int.self, Int.self, Int.self)
        return PumpingWatch.Conversion(sends: sends, challenges: challenges, verified: verified)
    }

    func pause(prefix: String, until: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.throttle
            set restricted_until = \(until)
            where scope = 'prefix' and key = convert_to(\(prefix), 'UTF8')
            """)
    }

    /// Until when a prefix gets nothing, without taking its lock.
    func pausedUntil(prefix: String, in transaction: borrowing Transaction) async throws -> Timestamp? {
        let row = try await transaction.first(
            """
            select restricted_until
            from auth.throttle
            where scope = 'prefix' and key = convert_to(\(prefix), 'UTF8')
            """)
        return try row?.decode(Timestamp?.self) ?? nil
    }

    /// Takes one message out of the day's budget (UTC); false when nothing is left of it.
    /// - Parameter cost: 0 for a message that is not sent, though it must look as if it were.
    func spendMessage(
        budget: Int, cost: Int = 1, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let spent = try await transaction.execute(
            """
            insert into auth.sms_budget (day, sent)
            select (\(now) at time zone 'UTC')::date, \(cost)
            where \(budget) > 0
            on conflict (day) do update set sent = sms_budget.sent + excluded.sent
            where sms_budget.sent < \(budget)
            """)
        return spent == 1
    }

    /// Notes the outcome of one comparison for the failure rate.
    func recordCheck<Runner: QueryRunner & ~Copyable>(
        isRight: Bool, at now: Timestamp, on runner: borrowing Runner
    ) async throws {
        try await runner.execute(
            """
            insert into auth.code_check (bucket, checks, failures)
            values (date_bin(\(FailureWatch.bucket), \(now), 'epoch'::timestamptz), 1, \(isRight ? 0 : 1))
            on conflict (bucket) do update
            set checks = code_check.checks + 1, failures = code_check.failures + excluded.failures
            """)
    }

    /// The checks of the last window and of the time before it.
    func checks(
        at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (recent: FailureWatch.Checks, baseline: FailureWatch.Checks) {
        let edge = now - FailureWatch.window
        let row = try await transaction.one(
            """
            select
                coalesce(sum(checks) filter (where bucket > \(edge)), 0),
                coalesce(sum(failures) filter (where bucket > \(edge)), 0),
                coalesce(sum(checks) filter (where bucket <= \(edge)), 0),
                coalesce(sum(failures) filter (where bucket <= \(edge)), 0)
            from auth.code_check
            where bucket > \(edge - FailureWatch.baseline)
            """)
        let (checks, failures, usualChecks, usualFailures) = try row.decode(
            Int64.self, Int64.self, Int64.self, Int64.self)
        return (
            FailureWatch.Checks(checks: checks, failures: failures),
            FailureWatch.Checks(checks: usualChecks, failures: usualFailures)
        )
    }
}
