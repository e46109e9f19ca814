import Kernel
import Postgres

/// Counts how often somebody looks for certificates by code or link.
struct LookUpStore: Sendable {
    /// Counts a look-up, unless there were `limit` of this subject within the last hour. One statement on one row:
    /// however many ask at once, in however many processes, no more than that get through.
    /// - Returns: nil when it counts; else when the next one will.
    func admit(
        _ subject: [UInt8], limit: Int32, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Timestamp? {
        let hourAgo = now - .seconds(3600)
        let admitted = try await runner.execute(
            """
            insert into gift_certificates.look_up as l (subject, moments)
            values (\(subject), array[\(now)]::timestamptz[])
            on conflict (subject) do update
            set moments = (
                    select coalesce(array_agg(m order by m), '{}') from unnest(l.moments) as m where m > \(hourAgo)
                ) || \(now)
            where (select count(*) from unnest(l.moments) as m where m > \(hourAgo)) < \(limit)
            """)
        guard admitted == 0 else { return nil }
        let oldest = try await runner.one(
            """
            select coalesce(min(m), \(now))
            from gift_certificates.look_up, unnest(moments) as m
            where subject = \(subject) and m > \(hourAgo)
            """
        ).decode(Timestamp.self)
        return oldest + .seconds(3600)
    }

    /// Forgets those who have not looked for an hour.
    func forget(before now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            delete from gift_certificates.look_up
            where moments[cardinality(moments)] <= \(now - .seconds(3600))
            """)
    }
}
