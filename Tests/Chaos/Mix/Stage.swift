import EmbeddedPostgres
import FoundationEssentials
import Glibc
import JobQueue
import Kernel
import Logging
import NIOConcurrencyHelpers
import Postgres

/// The server, the senders, the workers, and the one who harms them.
struct Stage: Sendable {
    static let workers = 3
    static let senders = 4

    let server: EmbeddedPostgres
    let reactor: Reactor
    let owner: Database
    let logger: Logger
    let crew: Crew
    let harm: Harm

    static func with<R>(seed: UInt64, minutes: Double, _ body: (Stage) async throws -> R) async throws -> R {
        let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        let folder = "/tmp/club-chaos-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let disk = SmallDisk(over: folder, megabytes: 512 + Int(minutes * 60))
        if disk == nil { Progress.say("no disk is filled: this needs root, and memory for a small file system") }
        let clock = SteppedClock("server", in: folder)
        if clock == nil { Progress.say("no clock is set: the product clock-step was not built") }
        for (name, value) in clock?.variables ?? [:] { setenv(name, value, 1) }
        Progress.say("starting a private PostgreSQL …")
        let server = try await EmbeddedPostgres.start(
            in: folder, profile: .durable, authentication: .trust, logger: logger)
        try await server.removeWhenThisProcessEnds(with: [folder])
        let reactor = try Reactor()
        let configuration = DatabaseConfiguration(
            conninfo: server.conninfo, applicationName: "chaos-owner", pool: PoolLimits(size: 6))
        _ = try await Migrator(reactor: reactor, logger: logger).migrate([JobQueueMigrations.set], on: configuration)
        let owner = Database(configuration, reactor: reactor, logger: logger)
        for statement in Books.schema { try await owner.execute(statement) }
        if disk != nil { try await Self.keepLogSmall(owner) }
        let dump = server.installation.program("pg_dump")
        let means = Harm.Means(
            clock: try await Self.obeys(clock, owner) ? clock : nil, disk: disk,
            dump: FileManager.default.isExecutableFile(atPath: dump) ? dump : nil)
        let crew = Crew(server: server, folder: folder)
        let stage = Stage(
            server: server, reactor: reactor, owner: owner, logger: logger, crew: crew,
            harm: Harm(server: server, owner: owner, crew: crew, means: means, seed: seed))
        let result = try await body(stage)
        await owner.shutdown()
        if let disk {
            try await server.remove()
            disk.unmount()
            try? FileManager.default.removeItem(atPath: folder)
        }
        return result
    }

    /// So that there is room on a small disk, and the log has to ask for more now and then.
    private static func keepLogSmall(_ owner: Database) async throws {
        for statement: SQL in [
            "alter system set max_wal_size = '96MB'", "alter system set min_wal_size = '32MB'",
            "select pg_reload_conf()",
        ] {
            try await owner.execute(statement)
        }
    }

    /// Whether the server's clock can be set.
    private static func obeys(_ clock: SteppedClock?, _ owner: Database) async throws -> Bool {
        guard let clock else { return false }
        func now() async throws -> Int64 {
            try await owner.one("select extract(epoch from clock_timestamp())::bigint").value(at: 0)
        }
        let before = try await now()
        clock.set(to: .seconds(1000))
        defer { clock.set(to: .zero) }
        return try await now() - before >= 1000
    }

    static func database(
        _ conninfo: String, _ reactor: Reactor, _ logger: Logger, pool: Int
    ) -> (Database, Listener) {
        let configuration = DatabaseConfiguration(
            conninfo: conninfo, user: Queues.service.role, applicationName: "chaos",
            pool: PoolLimits(size: pool, waiting: 10_000, waitTimeout: .seconds(30)))
        return (
            Database(configuration, reactor: reactor, logger: logger),
            Listener(configuration, reactor: reactor, logger: logger)
        )
    }

    /// Harm for so long, then peace until nothing is left to do, then the verdict.
    func play(for duration: Duration) async throws -> Verdict {
        let end = ContinuousClock.now.advanced(by: duration)
        for _ in 0..<Self.workers { try self.crew.hire() }
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.senders { group.addTask { await self.send(sender, until: end) } }
            group.addTask { await self.harm.deal(until: end) }
        }
        Progress.say("peace; waiting until no job is left …")
        try await self.settle()
        self.crew.dismiss()
        return try await Verdict.of(self)
    }

    /// Sends as fast as a tenth of a second allows, whatever the weather; a transaction that failed is forgotten.
    private func send(_ sender: Int, until end: ContinuousClock.Instant) async {
        let (database, listener) = Self.database(self.server.conninfo, self.reactor, self.logger, pool: 2)
        let bus = Bus(service: Queues.service, database: database, listener: listener, logger: self.logger)
        var number = Int64(sender) << 40
        while ContinuousClock.now < end {
            number += 1
            do {
                try await database.transaction { transaction in
                    try await self.send(number, bus, transaction)
                }
            } catch {
                try? await ContinuousClock().sleep(for: .milliseconds(50))
            }
            try? await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0...20)))
        }
        await database.shutdown()
    }

    private func send(_ number: Int64, _ bus: Bus, _ transaction: borrowing Transaction) async throws {
        switch number % 3 {
        case 0:
            // The lock on the account's row puts the steps in order, as the ledger's does.
            let account = Int.random(in: 1...20)
            let row = try await transaction.one(
                "update public.account set number = number + 1 where id = \(Int32(account)) returning number")
            let step = KeyedStep(account: account, number: try row.value(at: 0))
            let job = try await bus.send(step, in: transaction)
            transaction.last(Books.sent(job, KeyedStep.queue, key: step.orderingKey, step.number))
        case 1:
            let delay: SendOptions = number.isMultiple(of: 5) ? .delay(.milliseconds(700)) : SendOptions()
            let job = try await bus.send(SingleJob(number: number), in: transaction, delay)
            transaction.last(Books.sent(job, SingleJob.queue, number))
        default:
            let jobs = try await bus.send(
                contentsOf: (0..<10).map { BatchJob(number: number * 100 + $0) }, in: transaction)
            for (index, job) in jobs.enumerated() {
                transaction.last(Books.sent(job, BatchJob.queue, number * 100 + Int64(index)))
            }
        }
    }

    /// Until every queue is empty. The crew is kept complete meanwhile.
    private func settle() async throws {
        let limit = ContinuousClock.now.advanced(by: .seconds(180))
        while ContinuousClock.now < limit {
            self.crew.replaceTheDead()
            let left = try? await self.owner.one(
                """
                select (select count(*) from queue.ready) + (select count(*) from queue.deferred)
                    + (select count(*) from queue.lease) + (select count(*) from queue.arrival)
                    + (select count(*) from queue.blocked)
                """
            ).value(at: 0, as: Int64.self)
            if left == 0 { return }
            if left == nil { await self.harm.startAgain() }
            try await ContinuousClock().sleep(for: .milliseconds(200))
        }
    }
}
