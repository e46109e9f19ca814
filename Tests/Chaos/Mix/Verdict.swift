import EmbeddedPostgres
import FoundationEssentials
import Postgres

/// What came out of the mix.
struct Verdict: Codable, Sendable {
    let enqueued: Int
    let effects: Int
    /// Sent by a transaction that committed, and never done.
    let lost: Int
    /// Done more than once, or done without having been sent.
    let doubled: Int
    /// Steps of an account that were done before an earlier one.
    let misordered: Int
    /// By the server's log.
    let deadlocks: Int
    /// Jobs that were not done when the time was over.
    let left: Int
    let violations: [String]
    /// Attempts that were lost with a worker that was killed.
    let rescued: Int
    /// From the kill to the word that the attempt is lost, which makes the job ready again; seconds.
    let worstRescue: Double
    let harm: [String: Int]

    var isClean: Bool {
        self.enqueued > 0 && self.lost == 0 && self.doubled == 0 && self.misordered == 0 && self.deadlocks == 0
            && self.left == 0 && self.violations.isEmpty
    }

    static func of(_ stage: Stage) async throws -> Verdict {
        func count(_ sql: SQL) async throws -> Int {
            Int(try await stage.owner.one(sql).value(at: 0, as: Int64.self))
        }
        let rescues = try await Self.rescues(stage)
        return Verdict(
            enqueued: try await count("select count(*) from public.sent"),
            effects: try await count("select count(*) from public.effect"),
            lost: try await count(
                "select count(*) from public.sent s where not exists (select from public.effect e where e.job = s.job)"),
            doubled: try await count(
                """
                select (select count(*) from (select job from public.effect group by job having count(*) > 1) d)
                    + (select count(*) from public.effect e
                        where not exists (select from public.sent s where s.job = e.job))
                """),
            misordered: try await count(
                """
                select count(*) from (
                    select number, lag(number) over (partition by key order by nth) as before
                    from public.effect where queue = 'chaos.steps') e
                where number <> coalesce(before, 0) + 1
                """),
            deadlocks: Self.deadlocks(in: stage.server.logFile),
            left: try await count("select count(*) from queue.ready")
                + count("select count(*) from queue.blocked") + count("select count(*) from queue.arrival"),
            violations: try await stage.owner.query(
                "select violation || ' ' || coalesce(job_id::text, '') from queue.check() limit 20"
            ).map { try $0.value(at: 0, as: String.self) },
            rescued: rescues.count, worstRescue: rescues.max() ?? 0,
            harm: Dictionary(uniqueKeysWithValues: stage.harm.counts.map { ($0.key.rawValue, $0.value) }))
    }

    /// Seconds from each kill to the words about the attempts that were lost by it.
    private static func rescues(_ stage: Stage) async throws -> [Double] {
        let killed = stage.harm.killed
        let rows = try await stage.owner.query(
            """
            select worker_id, (extract(epoch from at) * 1000000)::bigint from queue.outcome
            where state = 6 and worker_id = any (\(killed.keys.map { $0 }))
            """)
        return try rows.compactMap { row in
            let worker = try row.value(at: 0, as: Int32.self)
            let at = try row.value(at: 1, as: Int64.self)
            return killed[worker].map { Double(at - $0) / 1_000_000 }
        }
    }

    private static func deadlocks(in file: String) -> Int {
        let log = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return log.split(separator: "deadlock detected", omittingEmptySubsequences: false).count - 1
    }

    /// On standard output: for people, or as one JSON object.
    func show(json: Bool) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let text: String
        if json {
            text = String(decoding: try encoder.encode(self), as: UTF8.self)
        } else {
            let harm = self.harm.sorted { $0.key < $1.key }.map { "  \($0.value) \($0.key)" }.joined(separator: "\n")
            let seconds = (self.worstRescue * 100).rounded() / 100
            text = """
                harm dealt:
                \(harm)
                enqueued \(self.enqueued), effects \(self.effects), lost \(self.lost), doubled \(self.doubled), \
                misordered \(self.misordered), deadlocks \(self.deadlocks), left \(self.left)
                worst time to rescue \(seconds) s (\(self.rescued) attempts of killed workers)
                \(self.violations.isEmpty ? "no invariant is broken" : self.violations.joined(separator: "\n"))
                """
        }
        Progress.result(text)
    }
}
