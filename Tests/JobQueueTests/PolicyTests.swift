import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Limits, turns, priorities, deadlines and names of jobs: the policies that a queue or a sender may ask for.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct PolicyTests {
    private struct Turn: Command {
        static let name = "alpha.turn"
        static let queue: QueueName = "alpha.turns"
        var tenant: String
        var number: Int
        var orderingKey: String? { self.tenant }
    }

    private func queueNumber(_ world: World, _ queue: QueueName) async throws -> Int16 {
        try await world.owner.one("select id from queue.queue where name = \(queue)").value(at: 0)
    }

    /// Claims through the database, as a worker with room for so many would.
    private func claim(_ world: World, _ queue: QueueName, _ count: Int, _ column: SQL) async throws -> [String] {
        let worker = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        return try await world.owner.query(
            """
            select (args ->> \(fragment: column)) from queue.look(
                \(worker), array[\(try await self.queueNumber(world, queue))], array[\(Int32(count))], array[false])
            where id is not null
            """
        ).map { try $0.value(at: 0) }
    }

    private func declare(_ world: World, _ text: String) async throws {
        try await world.owner.execute("select queue.declare('alpha', \(RawJSON(text)))")
    }

    @Test func `tenants take turns, however many jobs one of them has waiting`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await self.declare(world, #"[{"name": "alpha.turns", "is_fair": true}]"#)
        _ = try await alpha.send(contentsOf: (1...100).map { Turn(tenant: "loud", number: $0) })
        #expect(try await self.claim(world, Turn.queue, 3, "'tenant'") == ["loud", "loud", "loud"])
        // One that comes new begins at once, and from then on they alternate.
        _ = try await alpha.send(contentsOf: (1...3).map { Turn(tenant: "quiet", number: $0) })
        let next = try await self.claim(world, Turn.queue, 6, "'tenant'")
        #expect(next.count { $0 == "quiet" } == 3)
        #expect(next.prefix(2).contains("quiet"))
        // The order within a tenant stays.
        #expect(try await self.claim(world, Turn.queue, 4, "'number'") == ["7", "8", "9", "10"])
        #expect(try await world.violations() == [])
    }

    @Test func `no more run at a time than the queue allows, over all processes`() async throws {
        let world = try await World.make()
        let (first, second) = (world.bus("alpha"), world.bus("alpha"))
        let running = NIOLockedValueBox<(now: Int, most: Int)>((0, 0))
        let handler = Handler.transactional(Work.self) { _, job, transaction in
            running.withLockedValue { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            try await note(job, in: transaction)
            running.withLockedValue { $0.now -= 1 }
        }
        let queue = QueueDeclaration(Work.queue, runningMax: 2)
        try await first.running(queues: [queue], handlers: [handler]) {
            try await second.running(queues: [queue], handlers: [handler]) {
                _ = try await first.send(contentsOf: (1...60).map { Work(number: $0) })
                try await eventually("all are done", within: .seconds(60)) { try await world.isDone(effects: 60) }
            }
        }
        #expect(running.withLockedValue(\.most) <= 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a claim gets as many as there are tokens, and hears when to look again`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await self.declare(world, #"[{"name": "alpha.work", "rate_per_second": 0.001, "rate_burst": 5}]"#)
        _ = try await alpha.send(contentsOf: (1...20).map { Work(number: $0) })
        #expect(try await self.claim(world, Work.queue, 3, "'number'") == ["1", "2", "3"])
        #expect(try await self.claim(world, Work.queue, 10, "'number'") == ["4", "5"])
        #expect(try await self.claim(world, Work.queue, 10, "'number'") == [])
        let id = try await world.owner.one("select min(id) from queue.ready").value(at: 0, as: Int64.self)
        #expect(try await QueueAdministration(world.owner).reasons(whyNot: JobID(id)).map(\.code).contains(.rate))
        // Time passes: two more tokens.
        try await world.owner.execute("update queue.rate set at = at - interval '2001 seconds'")
        #expect(try await self.claim(world, Work.queue, 10, "'number'") == ["6", "7"])
        // The server's clock is set back: nothing is lost but what had grown, and tokens grow from then on.
        try await world.owner.execute("update queue.rate set at = clock_timestamp() + interval '1 hour'")
        #expect(try await self.claim(world, Work.queue, 10, "'number'") == [])
        try await world.owner.execute("update queue.rate set at = at - interval '2001 seconds'")
        #expect(try await self.claim(world, Work.queue, 10, "'number'") == ["8", "9"])
    }

    @Test func `a worker goes on by itself when tokens have grown`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let queue = QueueDeclaration(Work.queue, rate: RateLimit(perSecond: 50, burst: 1))
        try await alpha.running(
            queues: [queue],
            handlers: [.transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }]
        ) {
            _ = try await alpha.send(contentsOf: (1...10).map { Work(number: $0) })
            try await eventually("all are done") { try await world.isDone(effects: 10) }
        }
        // Ten jobs at fifty a second with a burst of one: the first and the last are at least nine tokens apart.
        let span = try await world.count(
            "select (extract(epoch from max(at) - min(at)) * 1000)::bigint from queue.outcome where state = 2")
        #expect(span >= 150)
    }

    @Test func `an old job of low priority comes before a young one of high priority`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await self.declare(world, #"[{"name": "alpha.work", "ageing_ms": 60000}]"#)
        _ = try await alpha.send(Work(number: 1), SendOptions(priority: .low))
        _ = try await alpha.send(Work(number: 2), SendOptions(priority: .urgent))
        // Of the same age the urgent one comes first; three minutes later a fresh urgent one comes last.
        #expect(try await self.claim(world, Work.queue, 1, "'number'") == ["2"])
        try await world.owner.execute("update queue.ready set rank = rank - ((181 * 1000::bigint) << 20)")
        _ = try await alpha.send(Work(number: 3), SendOptions(priority: .urgent))
        #expect(try await self.claim(world, Work.queue, 2, "'number'") == ["1", "3"])
    }

    @Test func `a job is sent once in its window, and the first one stands for the second`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let once = SendOptions(unique: .once("mail 7", within: .seconds(3600)))
        let first = try await alpha.send(Work(number: 1), once)
        #expect(try await alpha.send(Work(number: 2), once) == first)
        #expect(try await alpha.send(Work(number: 3), SendOptions(unique: .once("mail 8"))) != first)
        // The window is over.
        try await world.owner.execute("update queue.dedup set until = clock_timestamp() where until is not null")
        #expect(try await alpha.send(Work(number: 4), once) != first)
        #expect(try await world.count("select count(*) from queue.job") == 3)
        #expect(try await world.violations() == [])
    }

    @Test func `of two senders at the same moment one sends`() async throws {
        let world = try await World.make()
        let stations = (1...8).map { _ in world.bus("alpha") }
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for (number, station) in stations.enumerated() {
                group.addTask { try await station.send(Work(number: number), SendOptions(unique: .once("the one"))) }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await world.count("select count(*) from queue.job") == 1)
    }

    @Test func `the latest arguments win while the job has not begun`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let latest = SendOptions(unique: .latest("report"))
        let first = try await alpha.send(Work(number: 1), latest)
        #expect(try await alpha.send(Work(number: 2), latest) == first)
        #expect(try await self.claim(world, Work.queue, 1, "'number'") == ["2"])
        // It has begun: the next one is sent beside it.
        #expect(try await alpha.send(Work(number: 3), latest) != first)
        #expect(try await world.violations() == [])
    }

    @Test func `a debounced job waits anew with each one that comes`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let quiet = SendOptions(unique: .quiet("search index", for: .seconds(600)))
        let first = try await alpha.send(Work(number: 1), quiet)
        try await world.owner.execute("update queue.deferred set run_at = run_at - interval '500 seconds'")
        #expect(try await alpha.send(Work(number: 2), quiet) == first)
        let waits = try await world.count(
            "select extract(epoch from run_at - clock_timestamp())::bigint from queue.deferred")
        #expect(waits > 550)
        #expect(try await world.count("select (args ->> 'number')::bigint from queue.job") == 2)
    }
}
