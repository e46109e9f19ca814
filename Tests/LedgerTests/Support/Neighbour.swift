import Contracts
import Host
import JobQueue
import Kernel
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger

/// Another service as the ledger knows it: promotions, sending receipts and transfers and hearing what became
/// of them.
struct Neighbour: Sendable {
    let database: Database
    let bus: Bus
    let heard = Signal<PointsEarned>()
    let done = Signal<TransferDone>()
    let expiring = Signal<PointsExpiring>()

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
            bus: Bus(
                service: "promotions", database: database, listener: listener, callPatience: BusyMachine.callPatience,
                logger: CapturedLogs.logger))
    }

    func send(_ receipts: [PostReceipt]) async throws {
        try await self.database.transaction { transaction in
            _ = try await self.bus.send(contentsOf: receipts, in: transaction)
        }
    }

    func send(_ transfers: [Transfer]) async throws {
        try await self.database.transaction { transaction in
            _ = try await self.bus.send(contentsOf: transfers.map { PostTransfer($0) }, in: transaction)
        }
    }

    /// Runs the services, and this one's worker beside them.
    func beside(
        _ modules: [any ServiceModule.Type], settings: [String: String] = [:], clock: any WallClock = SystemClock(),
        _ body: @escaping @Sendable (Neighbour) async throws -> Void
    ) async throws {
        let (heard, done, expiring) = (self.heard, self.done, self.expiring)
        let worker = Worker(
            bus: self.bus, queues: [QueueDeclaration("promotions.points")],
            handlers: [
                .transactional(PointsEarned.self, on: "promotions.points") { event, _, transaction in
                    transaction.afterCommit { heard.send(event) }
                },
                .transactional(TransferDone.self, on: "promotions.points") { event, _, transaction in
                    transaction.afterCommit { done.send(event) }
                },
                .transactional(PointsExpiring.self, on: "promotions.points") { event, _, transaction in
                    transaction.afterCommit { expiring.send(event) }
                },
            ])
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: worker)], logger: CapturedLogs.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do {
                try await eventually("the subscriptions", isTrue: self.isSubscribed)
                result = .success(
                    try await ServiceWorld.run(modules, settings: settings, clock: clock) { _ in try await body(self) })
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
            "select count(*) = 3 as yes from queue.subscription where event like 'ledger.%'"
        ).value("yes")
    }
}
