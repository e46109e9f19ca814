import Contracts
import EmbeddedPostgres
import FoundationEssentials
import Host
import JobQueue
import Kernel
import Ledger
import Postgres
import Telemetry

/// The running ledger service on a ledger's database, and a sender of jobs for it.
struct LedgerService: Sendable {
    let owner: Database
    let sender: BenchBus
    /// Whom jobs are about: everybody, or enough of a million.
    private let members: [Member.ID]

    /// Runs `body` beside the service with all its handlers.
    static func with<R: Sendable>(
        _ books: LedgerBooks, database name: String, members: Int,
        _ body: @escaping @Sendable (LedgerService) async throws -> R
    ) async throws -> R {
        let world = books.world
        let owner = books.owner(of: name)
        try await BenchBus.makeRoles(["promotions"], owner)
        let sender = BenchBus(
            conninfo: world.cluster.conninfo(database: name), reactor: world.reactor, logger: world.logger, pool: 4,
            service: "promotions")
        let service = LedgerService(
            owner: owner, sender: sender, members: try await Self.some(of: members, in: owner))
        let host = try ServiceHost(
            modules: [LedgerModule.self],
            settings: [
                "CLUB_DATABASE": world.cluster.conninfo(database: name), "CLUB_PORT": "0",
                "CLUB_LEDGER_SEAL_KEY": String(repeating: "s", count: 32),
            ], environment: [:], sink: .nowhere)
        let (events, continuation) = AsyncStream.makeStream(of: HostEvent.self)
        let stop = StopSwitch()
        let result = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await host.run(handlesSignals: false, stopSwitch: stop) { continuation.yield($0) }
            }
            guard await events.contains(where: { if case .ready = $0 { true } else { false } }) else {
                try await group.waitForAll()
                throw Victim.Failed(description: "the service has ended before it was ready")
            }
            let result = try await sender.running(queues: [], handlers: []) { try await body(service) }
            stop.pull()
            try await group.waitForAll()
            return result
        }
        await sender.shutdown()
        await owner.shutdown()
        return result
    }

    /// Members with numbers below `count`, at most 100,000 of them.
    private static func some(of count: Int, in owner: Database) async throws -> [Member.ID] {
        try await owner.query(
            """
            select md5(n::text)::uuid as member_id from generate_series(1, \(Int64(count))) as n
            order by random() limit 100000
            """
        ).map { try $0.value("member_id") }
    }

    /// New receipts of members chosen at random.
    func receipts(_ count: Int) throws -> [PostReceipt] {
        let ids = IDGenerator.uuidV7(clock: SystemClock(), random: .system)
        guard let store = StoreID("bench"), let total = Kopecks(123_400), let points = Points(12) else {
            throw Victim.Failed(description: "the receipt's constants were refused")
        }
        return try (0..<count).map { _ in
            guard let owner = self.members.randomElement(),
                let fiscal = FiscalID(
                    fn: "8" + String(Int64.random(in: 100_000_000_000_000...999_999_999_999_999)),
                    fd: Int64.random(in: 1...9_999_999_999), fpd: Int64.random(in: 0...4_294_967_295))
            else { throw Victim.Failed(description: "a fiscal id was refused") }
            return PostReceipt(
                receipt: ids.next(), member: owner, fiscal: fiscal, store: store, effectiveAt: SystemClock().now,
                total: total, accruals: [.init(lotClass: .regular, points: points, rule: "base")], ruleset: 1)
        }
    }

    /// Seven receipts to three holds, as transfers.
    func transfers(_ count: Int) throws -> [PostTransfer] {
        let ids = IDGenerator.uuidV7(clock: SystemClock(), random: .system)
        guard let points = Points(5) else { throw Victim.Failed(description: "five points were refused") }
        return try self.receipts(count).enumerated().map { number, receipt in
            PostTransfer(
                number % 10 < 7
                    ? .earn(receipt)
                    : .hold(
                        PlaceHold(
                            hold: ids.next(), member: receipt.member, points: points, purpose: .till,
                            expiresInSeconds: 86_400)))
        }
    }

    /// Sends jobs while they are held back, lets them go and waits until all are done.
    /// - Returns: seconds from the release to the last commit.
    func burn<C: Command>(_ jobs: [C]) async throws -> Double {
        guard let last = jobs.last else { return 0 }
        try await self.owner.execute(
            "select queue.pause(q.id, 'jobs are gathered') from queue.queue as q where q.name = \(C.queue)")
        try await self.sender.sendAll(Array(jobs.dropLast()))
        let clock = ContinuousClock()
        let start = clock.now
        try await self.owner.execute(
            "select queue.resume(q.id, 'jobs are gathered') from queue.queue as q where q.name = \(C.queue)")
        // The last one rings.
        try await self.sender.bus.send(last)
        while try await self.hasJobs(C.queue) { try await Task.sleep(for: .milliseconds(20)) }
        return (clock.now - start).inSeconds
    }

    /// Whether a job of the queue waits or is claimed: a claim of a batch lasts as long as its transaction.
    private func hasJobs(_ queue: QueueName) async throws -> Bool {
        try await self.owner.one(
            """
            select exists (select from queue.ready as j where j.queue_id = q.id)
                or exists (select from queue.deferred as j where j.queue_id = q.id) as is_busy
            from queue.queue as q where q.name = \(queue)
            """
        ).value("is_busy")
    }
}
