import Kernel
import Postgres

/// Deletes what has served its purpose. Each statement may run any number of times, in any number of processes.
struct RetentionStore: Sendable {
    /// How long each thing is kept after its last use.
    struct Periods: Sendable {
        /// Challenges back the quotas, whose longest window is a day.
        var challenge = ChallengeQuotas.day + .seconds(3600)
        /// Throttle rows without a failure; with one they stay longer, so that waiting does not forgive.
        var throttle = Duration.seconds(2 * 86_400)
        var failures = Duration.seconds(30 * 86_400)
        var outbox = Duration.seconds(7 * 86_400)
        /// A used or expired refresh token must be recognised as such for a while.
        var refreshToken = Duration.seconds(30 * 86_400)
    }

    /// - Returns: the number of rows deleted.
    func purge(
        _ periods: Periods = Periods(), peppersMadeBefore pepperEdge: Timestamp, at now: Timestamp,
        on database: Database
    ) async throws -> Int {
        let statements: [SQL] = [
            "delete from auth.code_pepper where created_at <= \(pepperEdge)",
            "delete from auth.challenge where created_at <= \(now - periods.challenge)",
            """
            delete from auth.throttle
            where touched_at <= \(now - periods.throttle)
                and (failures = 0 or touched_at <= \(now - periods.failures))
                and coalesce(restricted_until <= \(now), true)
            """,
            "delete from auth.code_check where bucket <= \(now - FailureWatch.baseline - ChallengeQuotas.day)",
            "delete from auth.sms_budget where day < (\(now) at time zone 'UTC')::date - 31",
            "delete from auth.sms_outbox where sent_at <= \(now - periods.outbox)",
            "delete from auth.registration_ticket where expires_at <= \(now)",
            "delete from auth.registration_draft where expires_at <= \(now)",
            "delete from auth.card_attempt where tried_at <= \(now - periods.challenge)",
            "delete from auth.phone_recovery where approved is null and expires_at <= \(now)",
            "delete from auth.email_challenge where created_at <= \(now - periods.challenge)",
            "delete from auth.refresh_token where expires_at <= \(now - periods.refreshToken)",
            """
            delete from auth.session s
            where s.used_at <= \(now - periods.refreshToken)
                and not exists (select from auth.refresh_token t where t.session_id = s.session_id)
            """,
        ]
        return try await database.pipeline(statements).reduce(0) { $0 + $1.affectedRows }
    }
}
