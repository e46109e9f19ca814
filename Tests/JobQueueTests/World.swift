import JobQueue
import Kernel
import Logging
import NIOConcurrencyHelpers
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

/// Two services, `alpha` and `beta`, on one database.
struct World: Sendable {
    let reactor: Reactor
    /// For looking behind the scenes: may do everything.
    let owner: Database
    private let configuration: @Sendable (ServiceName?, PoolLimits) -> DatabaseConfiguration

    init(
        reactor: Reactor, owner: Database,
        configuration: @escaping @Sendable (ServiceName?, PoolLimits) -> DatabaseConfiguration
    ) {
        self.reactor = reactor
        self.owner = owner
        self.configuration = configuration
    }

    /// On the database of the present test.
    static func make() async throws -> World {
        let test = try TestDatabase.current
        let world = World(reactor: test.reactor, owner: test.owner) { test.configuration(for: $0, pool: $1) }
        try await world.prepare()
        return world
    }

    /// The roles belong to the whole cluster, and other tests make them at the same time; the lock of an advisory number
    /// would be of one database only.
    func prepare() async throws {
        try await self.owner.execute(
            """
            do $$
            declare
                v_role text;
            begin
                lock table pg_catalog.pg_authid in share row exclusive mode;
                foreach v_role in array array['club_alpha', 'club_beta'] loop
                    if to_regrole(v_role) is null then
                        execute format('create role %I login', v_role);
                    end if;
                    if not pg_has_role(v_role, 'club_bus', 'member') then
                        execute format('grant club_bus to %I', v_role);
                    end if;
                end loop;
            end $$
            """)
        try await self.owner.execute(
            "create table public.effect (job bigint not null, attempt int not null, note text not null)")
        try await self.owner.execute("grant all on public.effect to club_alpha, club_beta")
    }

    func database(_ service: ServiceName, pool: Int = 4) -> Database {
        Database(
            self.configuration(service, PoolLimits(size: pool)), reactor: self.reactor, logger: CapturedLogs.logger)
    }

    /// A bus with connections of its own, as another process would have.
    func bus(
        _ service: ServiceName, pool: Int = 6, neighbourhood: Neighbourhood = Neighbourhood(),
        listening: Listening = .bells, keyring: Keyring? = nil, middleware: [any JobMiddleware] = []
    ) -> Station {
        let database = self.database(service, pool: pool)
        let listener = Listener(database.configuration, reactor: self.reactor, logger: CapturedLogs.logger)
        return Station(
            database: database, listener: listener,
            bus: Bus(
                service: service, database: database, listener: listener, neighbourhood: neighbourhood,
                listening: listening, keyring: keyring, middleware: middleware, logger: CapturedLogs.logger))
    }

    /// Rows that break an invariant of the queue; none, whatever has happened.
    func violations() async throws -> [String] {
        try await self.owner.query("select violation || ' ' || coalesce(job_id::text, '') from queue.check()").map {
            try $0.value(at: 0, as: String.self)
        }
    }

    /// Every row of every table of the queue as text.
    func dump() async throws -> String {
        let tables = try await self.owner.query(
            "select tablename::text from pg_tables where schemaname = 'queue' order by 1"
        ).map { try $0.decode(String.self) }
        var text = ""
        for table in tables {
            for row in try await self.owner.query("select t::text from \(identifier: "queue", table) t") {
                text += try "\(table) \(row.decode(String.self))\n"
            }
        }
        return text
    }

    func count(_ sql: SQL) async throws -> Int {
        Int(try await self.owner.one(sql).value(at: 0, as: Int64.self))
    }

    func effects() async throws -> Int {
        try await self.count("select count(*) from public.effect")
    }

    /// Everything has ended, with so many effects.
    func isDone(effects: Int) async throws -> Bool {
        let count = try await self.effects()
        return try await self.isEmpty() && count == effects
    }

    func isEmpty() async throws -> Bool {
        try await self.count(
            """
            select (select count(*) from queue.ready) + (select count(*) from queue.deferred)
                + (select count(*) from queue.lease) + (select count(*) from queue.arrival)
                + (select count(*) from queue.blocked)
            """) == 0
    }
}

/// One process's part.
struct Station {
    let database: Database
    let listener: Listener
    let bus: Bus

    /// Runs the worker beside the body, and stops it in good order.
    @discardableResult
    func running<R: Sendable>(
        queues: [QueueDeclaration] = [], handlers: [Handler] = [], periodic: [PeriodicJob] = [],
        _ body: @Sendable () async throws -> R
    ) async throws -> R {
        let worker = Worker(bus: self.bus, queues: queues, handlers: handlers, periodic: periodic)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: worker)], logger: CapturedLogs.logger))
        return try await withThrowingTaskGroup(of: R?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            let result: R
            do {
                result = try await body()
            } catch {
                await self.close(group)
                throw error
            }
            await self.close(group)
            while try await tasks.next() != nil {}
            return result
        }
    }

    private func close(_ group: ServiceGroup) async {
        await group.triggerGracefulShutdown()
    }

    func send<C: Command>(_ command: C, _ options: SendOptions = SendOptions()) async throws -> JobID {
        try await self.database.transaction { try await self.bus.send(command, in: $0, options) }
    }

    func send<C: Command>(contentsOf commands: [C]) async throws -> [JobID] {
        try await self.database.transaction { try await self.bus.send(contentsOf: commands, in: $0) }
    }

    func publish<E: Event>(_ event: E) async throws {
        try await self.database.transaction { try await self.bus.publish(event, in: $0) }
    }
}

struct Work: Command {
    static let name = "alpha.work"
    static let queue: QueueName = "alpha.work"
    var number: Int
}

struct Happened: Event {
    static let name = "alpha.happened"
    var number: Int
}

struct Double: Call {
    static let name = "alpha.double"
    static let queue: QueueName = "alpha.calls"
    var number: Int
    struct Reply: Codable, Sendable, Equatable { var number: Int }
}

struct Peek: Call {
    static let name = "alpha.peek"
    static let queue: QueueName = "alpha.peeks"
    static let durability = CallDurability.volatile
    var number: Int
    struct Reply: Codable, Sendable, Equatable { var number: Int }
}

/// Writes down that a job was done.
func note(_ job: JobContext, _ text: String = "done", in transaction: borrowing Transaction) async throws {
    try await transaction.execute(
        "insert into public.effect (job, attempt, note) values (\(job.id.raw), \(Int32(job.attempt)), \(text))")
}

struct Boom: Error {}
