import EmbeddedPostgres
import Glibc
import NIOConcurrencyHelpers
import Postgres
import TestSupport

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
        case silence = "workers cut off without a word for up to 12 s"
        case workerClock = "clocks of workers set, by up to two days"
        case serverClock = "clocks of the server set, by up to 40 s"
        case fullDisk = "disks filled for up to 4 s"
        case dump = "dumps taken slowly"
    }

    /// What can be done on this machine.
    struct Means: Sendable {
        /// Nil when the library for it was not built.
        var clock: SteppedClock?
        /// Nil when we may not mount one.
        var disk: SmallDisk?
        /// Nil when it does not come with the server.
        var dump: String?

        func allow(_ kind: Kind) -> Bool {
            switch kind {
            case .workerClock, .serverClock: self.clock != nil
            case .fullDisk: self.disk != nil
            case .dump: self.dump != nil
            default: true
            }
        }
    }

    private let server: EmbeddedPostgres
    private let owner: Database
    private let crew: Crew
    private let state: NIOLockedValueBox<(counts: [Kind: Int], killed: [Int32: Int64])>
    private let means: Means
    private let seed: UInt64

    init(server: EmbeddedPostgres, owner: Database, crew: Crew, means: Means, seed: UInt64) {
        self.server = server
        self.owner = owner
        self.crew = crew
        self.means = means
        self.seed = seed
        self.state = NIOLockedValueBox(([:], [:]))
    }

    /// How often each kind was dealt.
    var counts: [Kind: Int] { self.state.withLockedValue(\.counts) }
    /// The numbers of workers that were killed, and when, in microseconds of the server's clock.
    var killed: [Int32: Int64] { self.state.withLockedValue(\.killed) }

    func deal(until end: ContinuousClock.Instant) async {
        var random = SplitMix64(seed: self.seed)
        let weighted = Self.weighted.filter(self.means.allow)
        await withDiscardingTaskGroup { group in
            while ContinuousClock.now < end {
                try? await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 300...2500, using: &random)))
                self.crew.replaceTheDead()
                let kind = weighted[Int.random(in: 0..<weighted.count, using: &random)]
                let pick = Int.random(in: 0..<1_000_000, using: &random)
                self.state.withLockedValue { $0.counts[kind, default: 0] += 1 }
                switch kind {
                case .freezeWorker, .oldSnapshot, .silence, .fullDisk, .dump:
                    group.addTask { await self.slow(kind, pick) }
                default: await self.quick(kind, pick)
                }
            }
        }
        self.means.clock?.set(to: .zero)
    }

    private static let weighted: [Kind] =
        Array(repeating: .killWorker, count: 4) + Array(repeating: .cutSessions, count: 4)
        + [.freezeWorker, .cutBells, .cutBells, .crashServer, .rotate, .rotate, .oldSnapshot]
        + [.silence, .silence, .workerClock, .workerClock, .serverClock, .fullDisk, .dump]

    private func quick(_ kind: Kind, _ pick: Int) async {
        switch kind {
        case .killWorker: await self.killWorker(pick)
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
            await self.startAgain()
        case .rotate:
            await self.attempt("select queue.rotate('0 s', 0)")
            await self.attempt("select queue.sweep_slot(slot) from queue.ring order by generation")
            await self.attempt("select queue.compact_bloated(100000)")
        case .workerClock:
            let offset = Duration.seconds([-172_800, -3600, -60, 0, 60, 3600, 172_800][pick % 7])
            _ = self.crew.setClock(to: offset) { pick / 7 % $0 }
        case .serverClock: await self.setServerClock(pick)
        case .freezeWorker, .oldSnapshot, .silence, .fullDisk, .dump:
            return
        }
    }

    private static let now: SQL = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"

    private func killWorker(_ pick: Int) async {
        let known = try? await self.owner.query(
            "select id, pid, (extract(epoch from clock_timestamp()) * 1000000)::bigint from queue.worker")
        guard let pid = self.crew.killOne({ pick % $0 }), let known else { return }
        for row in known where (try? row.value(at: 1, as: Int32.self)) == pid {
            guard let id = try? row.value(at: 0, as: Int32.self), let at = try? row.value(at: 2, as: Int64.self)
            else { continue }
            self.state.withLockedValue { $0.killed[id] = at }
        }
    }

    /// Leases run out at once, or last longer; the living look dead, or the dead alive. What was killed less than a minute
    /// ago cannot be timed any more.
    private func setServerClock(_ pick: Int) async {
        let now = try? await self.owner.one(Self.now).value(at: 0, as: Int64.self)
        self.means.clock?.set(to: .seconds([-20, -4, 0, 4, 40][pick % 5]))
        self.state.withLockedValue { state in
            state.killed = state.killed.filter { $0.value < (now ?? .max) - 60_000_000 }
        }
    }

    private func slow(_ kind: Kind, _ pick: Int) async {
        let time = Duration.milliseconds(1000 + pick % 9000)
        switch kind {
        case .freezeWorker:
            guard let pid = self.crew.stopOne({ pick % $0 }) else { return }
            try? await ContinuousClock().sleep(for: time)
            self.crew.goOn(pid)
        case .silence:
            guard let pid = self.crew.silenceOne({ pick % $0 }) else { return }
            try? await ContinuousClock().sleep(for: time + .seconds(2))
            self.crew.speak(pid, forgetting: pick.isMultiple(of: 2))
        case .fullDisk: await self.fillDisk(for: .milliseconds(1000 + pick % 3000))
        case .dump: await self.dump(slowlyFor: time)
        default:
            _ = try? await self.owner.withConnection { session in
                try await session.transaction(isolation: .repeatableRead) { transaction in
                    try await transaction.execute("select count(*) from queue.queue")
                    try await ContinuousClock().sleep(for: time)
                }
            }
        }
    }

    /// A server that has no room for its log gives up; when there is room again, it is started again.
    private func fillDisk(for time: Duration) async {
        guard let disk = self.means.disk else { return }
        disk.fill()
        try? await ContinuousClock().sleep(for: time)
        disk.free()
        await self.startAgain()
    }

    /// A server that runs is left alone. Whoever has stopped it at this moment starts it, too; then one of the two fails.
    func startAgain() async {
        for attempt in 1...10 {
            if (try? await self.owner.one("select 1")) != nil { return }
            do {
                try await self.server.restart()
            } catch  where attempt == 10 {
                Progress.say("the server does not start: \(error)")
            } catch {
                try? await ContinuousClock().sleep(for: .milliseconds(300))
            }
        }
    }

    /// Somebody reads the dump slowly; meanwhile it holds a snapshot, and locks on all tables of the queue.
    private func dump(slowlyFor time: Duration) async {
        guard let program = self.means.dump else { return }
        let seconds = "\(time / .seconds(1))"
        let script =
            #"PGOPTIONS='-c lock_timeout=5s' "$1" --schema=queue "$2" 2>/dev/null | { sleep "$3"; cat >/dev/null; }"#
        guard
            let pid = try? Program.spawn(
                ["/bin/sh", "-c", script, "sh", program, self.server.conninfo, seconds])
        else { return }
        await Program.wait(for: pid, within: .seconds(60))
    }

    /// The server may be away; then this harm was none.
    private func attempt(_ sql: SQL) async {
        _ = try? await self.owner.run(sql)
    }
}
