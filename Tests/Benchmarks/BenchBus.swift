import EmbeddedPostgres
import JobQueue
import Kernel
import Logging
import Postgres
import ServiceLifecycle

/// A command without effects, with the payload of the raw measurements.
struct NoOp: Command {
    static let name = "bench.no-op"
    static let queue: QueueName = "bench.jobs"
    var id: Int64
    var pad = String(repeating: "x", count: 76)
}

/// The same, with the moment of its sending.
struct Stamped: Command {
    static let name = "bench.stamped"
    static let queue: QueueName = "bench.jobs"
    var sentAt: Timestamp
}

/// A queue of its own database, as the service `bench` sees it.
struct BenchBus: Sendable {
    static let service: ServiceName = "bench"
    /// How many jobs have not come to an end.
    static let unfinished = """
        select (select count(*) from queue.ready) + (select count(*) from queue.deferred)
            + (select count(*) from queue.lease) + (select count(*) from queue.arrival)
            + (select count(*) from queue.blocked)
        """
    let database: Database
    let bus: Bus
    private let reactor: Reactor
    private let logger: Logger

    /// Makes a fresh database with the queue's schema and the role of the service, and a bus on `pool` connections.
    static func with<R: Sendable>(
        _ world: World, _ name: String, pool: Int = 16, _ body: (BenchBus) async throws -> R
    ) async throws -> R {
        try await world.withFreshDatabase(name) { name in
            try await Self.prepare(
                world.database(name, pool: 1).configuration, reactor: world.reactor, logger: world.logger)
            let bench = BenchBus(
                conninfo: world.cluster.conninfo(database: name), reactor: world.reactor, logger: world.logger,
                pool: pool)
            let result = try await body(bench)
            await bench.shutdown()
            return result
        }
    }

    /// Makes the queue's schema in a database, and the roles of the services that use it here.
    static func prepare(_ configuration: DatabaseConfiguration, reactor: Reactor, logger: Logger) async throws {
        _ = try await Migrator(reactor: reactor, logger: logger).migrate([JobQueueMigrations.set], on: configuration)
        let owner = Database(configuration, reactor: reactor, logger: logger)
        try await self.makeRoles([Self.service, "shop"], owner)
        await owner.shutdown()
    }

    /// Roles belong to the whole cluster: a database before this one may have made them.
    static func makeRoles(_ services: [ServiceName], _ owner: Database) async throws {
        for role in services.map(\.role) {
            if try await owner.first("select from pg_roles where rolname = \(role)") == nil {
                try await owner.execute("create role \(identifier: role) login")
            }
            try await owner.execute("grant club_bus to \(identifier: role)")
        }
    }

    init(
        conninfo: String, reactor: Reactor, logger: Logger, pool: Int, service: ServiceName = BenchBus.service
    ) {
        let configuration = DatabaseConfiguration(
            conninfo: conninfo, user: service.role, applicationName: service.text,
            pool: PoolLimits(size: pool, waiting: 100_000, waitTimeout: .seconds(60)), statementTimeout: .seconds(60),
            idleInTransactionTimeout: .seconds(60))
        self.reactor = reactor
        self.logger = logger
        self.database = Database(configuration, reactor: reactor, logger: logger)
        self.bus = Bus(
            service: service, database: self.database,
            listener: Listener(configuration, reactor: reactor, logger: logger), logger: logger)
    }

    func shutdown() async {
        await self.database.shutdown()
    }

    /// Runs `body` beside a worker, which is stopped gracefully afterwards.
    func working<R: Sendable>(
        _ handlers: [Handler], slots: Int = 8, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await self.running(queues: [QueueDeclaration(NoOp.queue, slots: slots)], handlers: handlers, body)
    }

    /// The same with any queues; with none the service only sends, and rings after its commits.
    func running<R: Sendable>(
        queues: [QueueDeclaration], handlers: [Handler], _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        let worker = Worker(bus: self.bus, queues: queues, handlers: handlers)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: worker)], logger: self.logger))
        return try await withThrowingTaskGroup(of: R?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            let result = try await body()
            await group.triggerGracefulShutdown()
            for try await _ in tasks {}
            return result
        }
    }

    /// Stops the handing out of jobs, so that only senders are measured.
    func pause(_ owner: Database) async throws {
        try await owner.execute(
            """
            select queue.pause(q.id, 'senders are measured')
            from queue.queue q
            where q.name = \(NoOp.queue)
            """)
    }

    /// Waits until so many processes work for the service.
    func waitForWorkers(_ count: Int64, seenBy owner: Database) async throws {
        while try await owner.one("select count(*) from queue.worker").value(at: 0, as: Int64.self) < count {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Sends `count` jobs, many in a transaction.
    func preload(_ count: Int, perTransaction size: Int = 1000) async throws {
        try await self.sendAll((0..<count).map { NoOp(id: Int64($0)) }, perTransaction: size)
    }

    func sendAll<C: Command>(_ commands: [C], perTransaction size: Int = 1000) async throws {
        for start in stride(from: 0, to: commands.count, by: size) {
            let some = Array(commands[start..<min(start + size, commands.count)])
            _ = try await self.database.transaction { transaction in
                try await self.bus.send(contentsOf: some, in: transaction)
            }
        }
    }
}
