import EmbeddedPostgres
import Glibc
import NIOConcurrencyHelpers
import Postgres

/// Deals harm, one kind after another, chosen by a seed.
final class Harm: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case killWorker = "workers killed with SIGKILL"
        case freezeWorker = "workers frozen for up to 10 s"
        case cutSessions = "database sessions cut"
        case cutBells = "bell connections cut"
        case crashServer = "servers stopped at once"
        case rotate = "slots rotated and emptied"
        case oldSnapshot = "old snapshots held"
    }

    private let server: EmbeddedPostgres
    private let owner: Database
    private let crew: Crew
    private let state: NIOLockedValueBox<(counts: [Kind: Int], killed: [Int32: Int64])>
    private let seed: UInt64

    init(server: EmbeddedPostgres, owner: Database, crew: Crew, seed: UInt64) {
        self.server = server
        self.owner = owner
        self.crew = crew
        self.seed = seed
        self.state = NIOLockedValueBox(([:], [:]))
    }

    /// How often each kind was dealt.
    var counts: [Kind: Int] { self.state.withLockedValue(\.counts) }
    /// The numbers of workers that were killed, and when, in microseconds of the server's clock.
    var killed: [Int32: Int64] { self.state.withLockedValue(\.killed) }

    func deal(until end: ContinuousClock.Instant) async {
        var random = SplitMix(state: self.seed)
        await withDiscardingTaskGroup { group in
            while ContinuousClock.now < end {
                try? await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 300...2500, using: &random)))
                self.crew.replaceTheDead()
                let kind = Self.weighted[Int.random(in: 0..<Self.weighted.count, using: &random)]
                let pick = Int.random(in: 0..<1_000_000, using: &random)
                self.state.withLockedValue { $0.counts[kind, default: 0] += 1 }
                switch kind {
                case .freezeWorker, .oldSnapshot: group.addTask { await self.slow(kind, pick) }
                default: await self.quick(kind, pick)
                }
            }
        }
    }

    private static let weighted: [Kind] =
        Array(repeating: .killWorker, count: 4) + Array(repeating: .cutSessions, count: 4)
        + [.freezeWorker, .cutBells, .cutBells, .crashServer, .rotate, .rotate, .oldSnapshot]

    private func quick(_ kind: Kind, _ pick: Int) async {
        switch kind {
        case .killWorker:
            let known = try? await self.owner.query(
                "select id, pid, (extract(epoch from clock_timestamp()) * 1000000)::bigint from queue.worker")
            guard let pid = self.crew.killOne({ pick % $0 }), let known else { return }
            for row in known where (try? row.value(at: 1, as: Int32.self)) == pid {
                guard let id = try? row.value(at: 0, as: Int32.self), let at = try? row.value(at: 2, as: Int64.self)
                else { continue }
                self.state.withLockedValue { $0.killed[id] = at }
            }
        case .cutSessions:
            await self.attempt(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'chaos' order by md5(pid::text || \(Int64(pick))) limit 3
                """)
        case .cutBells:
            await self.attempt(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'chaos' and query ilike 'listen%'
                """)
        case .crashServer:
            try? await self.server.stop(.immediate)
            try? await self.server.restart()
        case .rotate:
            await self.attempt("select queue.rotate('0 s', 0)")
            await self.attempt("select queue.sweep_slot(slot) from queue.ring order by generation")
            await self.attempt("select queue.compact_bloated(100000)")
        case .freezeWorker, .oldSnapshot:
            return
        }
    }

    private func slow(_ kind: Kind, _ pick: Int) async {
        if kind == .freezeWorker {
            guard let pid = self.crew.stopOne({ pick % $0 }) else { return }
            try? await ContinuousClock().sleep(for: .milliseconds(1000 + pick % 9000))
            return self.crew.goOn(pid)
        }
        _ = try? await self.owner.withConnection { session in
            try await session.transaction(isolation: .repeatableRead) { transaction in
                try await transaction.execute("select count(*) from queue.queue")
                try await ContinuousClock().sleep(for: .milliseconds(1000 + pick % 9000))
            }
        }
    }

    /// The server may be away; then this harm was none.
    private func attempt(_ sql: SQL) async {
        _ = try? await self.owner.run(sql)
    }
}

/// The generator of Steele, Lea and Flood (2014): a seed gives the same harm each time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
