import Contracts
import Host
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger

/// The whole service over the bus: another service sends receipts and calls, and hears what became of them.
@Suite(.ledger) struct BusTests {
    @Test func `receipts sent over the bus are posted, and each new one is told of once`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let members = (0..<20).map { _ in books.member() }
        let receipts = try (0..<300).map { try books.receipt(of: members[$0 % 20], [.of(Int64($0 % 3))]) }
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            try await neighbour.send(receipts + receipts.prefix(50))
            let heard = try await neighbour.heard.next(300)

            #expect(Set(heard.map(\.receipt)) == Set(receipts.map(\.receipt)))
            #expect(heard.reduce(0) { $0 + $1.points.amount } == 300)
            let event = try #require(heard.first { $0.receipt == receipts[1].receipt })
            #expect(event.member == receipts[1].member)
            #expect(event.effectiveAt == receipts[1].effectiveAt)
            let line = try #require(try await books.account.transaction(event.transaction, of: event.member))
            #expect(line.recordedAt == event.recordedAt)
        }
        #expect(try await books.count("select count(*) from ledger.receipt") == 300)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a hold is placed, captured and voided by calls`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let member = books.member()
        try await books.earn(100, for: member)
        let (first, second) = (books.ids.next(Hold.self), books.ids.next(Hold.self))
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            func place(_ hold: Hold.ID, _ points: Int64) async throws -> PlaceHold.Reply {
                try await neighbour.bus.call(
                    PlaceHold(
                        hold: hold, member: member, points: try #require(Points(points)), purpose: .till,
                        expiresInSeconds: 60), deadline: .seconds(30))
            }
            #expect(try await place(first, 60).isPlaced)
            #expect(try await place(second, 60) == .refused(.insufficientPoints, available: Points(40)))
            let captured = try await neighbour.bus.call(
                CaptureHold(hold: first, member: member, points: Points(45)), deadline: .seconds(30))
            #expect(captured.isCaptured)
            let voided = try await neighbour.bus.call(VoidHold(hold: first, member: member), deadline: .seconds(30))
            #expect(voided == .refused(.holdCaptured))
        }
        #expect(try await books.available(member) == 55)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `the running service gives back what is held too long, and makes the months that come`() async throws {
        let clock = ManualClock(SystemClock().now)
        let books = try await Books(clock)
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.place(books.ids.next(), 60, for: member)
        let partitions: SQL = "select count(*) from pg_inherits where inhparent = 'ledger.posting'::regclass"
        let before = try await books.count(partitions)
        clock.advance(by: .seconds(23 * 30 * 86_400))
        let settings = ["CLUB_LEDGER_UPKEEP_INTERVAL": "1s"]
        try await ServiceWorld.run([LedgerModule.self], settings: settings, clock: clock) { _ in
            try await eventually(
                "the hold's end", isTrue: { try await books.account.balance(of: member).held == .zero })
            // What came back from the hold has expired meanwhile: the same upkeep writes it off.
            try await eventually("books in order", isTrue: { try await books.findings().isEmpty })
        }
        #expect(try await books.count(partitions) > before)
    }

    /// One bad receipt must not hold up the others: it is refused, kept and logged, and the job is done.
    @Test func `a receipt with other content does not come back as a failed job`() async throws {
        let books = try await Books(ManualClock(SystemClock().now))
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(10)])
        let forged = try books.receipt(of: member, [.of(1000)], id: receipt.receipt)
        let after = try books.receipt(of: member, [.of(1)])
        try await Neighbour.make().beside([LedgerModule.self]) { neighbour in
            try await neighbour.send([receipt])
            _ = try await neighbour.heard.next()
            try await neighbour.send([forged, after])
            #expect(try await neighbour.heard.next().receipt == after.receipt)
        }
        #expect(try await books.available(member) == 11)
        #expect(try await books.count("select count(*) from ledger.refused_receipt") == 1)
        #expect(try await books.findings().isEmpty)
    }
}

/// Another service as the ledger knows it: promotions, sending receipts and hearing of points.
private struct Neighbour: Sendable {
    let database: Database
    let bus: Bus
    let heard = Signal<PointsEarned>()

    static func make() async throws -> Neighbour {
        let test = try TestDatabase.current
        // A role of its own, so that the queue's list of producers is put to the test.
        try await eventually("a role that other tests make at the same time") { () async throws -> Void? in
            do {
                return try await test.owner.execute(
                    """
                    do $$
                    begin
                        create role club_promotions login;
                    exception
                        when duplicate_object or unique_violation then null;
                    end
                    $$
                    """
                ) >= 0 ? () : nil
            } catch is DatabaseError { return nil }
        }
        try await eventually("a grant that other tests make at the same time") { () async throws -> Void? in
            do {
                return try await test.owner.execute("grant club_bus to club_promotions") >= 0 ? () : nil
            } catch is DatabaseError { return nil }
        }
        let configuration = test.configuration(for: "promotions", pool: PoolLimits(size: 4))
        let database = Database(configuration, reactor: test.reactor, logger: CapturedLogs.logger)
        let listener = Listener(configuration, reactor: test.reactor, logger: CapturedLogs.logger)
        return Neighbour(
            database: database,
            bus: Bus(service: "promotions", database: database, listener: listener, logger: CapturedLogs.logger))
    }

    func send(_ receipts: [PostReceipt]) async throws {
        try await self.database.transaction { transaction in
            _ = try await self.bus.send(contentsOf: receipts, in: transaction)
        }
    }

    /// Runs the services, and this one's worker beside them.
    func beside(
        _ modules: [any ServiceModule.Type], _ body: @escaping @Sendable (Neighbour) async throws -> Void
    ) async throws {
        let heard = self.heard
        let worker = Worker(
            bus: self.bus, queues: [QueueDeclaration("promotions.points")],
            handlers: [
                .transactional(PointsEarned.self, on: "promotions.points") { event, _, transaction in
                    transaction.afterCommit { heard.send(event) }
                }
            ])
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: worker)], logger: CapturedLogs.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do {
                try await eventually("the subscription to points earned", isTrue: self.isSubscribed)
                result = .success(try await ServiceWorld.run(modules) { _ in try await body(self) })
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            await self.database.shutdown()
            try result.get()
        }
    }

    private func isSubscribed() async throws -> Bool {
        try await TestDatabase.current.owner.one(
            "select exists (select from queue.subscription where event = \(PointsEarned.name)) as yes"
        ).value("yes")
    }
}
