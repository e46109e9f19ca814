public import JobQueue
internal import Logging
public import Postgres
internal import ServiceLifecycle

/// What a test waited for in vain.
public struct JobQueueTestFailure: Error, CustomStringConvertible, Sendable {
    /// A sentence for the test's report.
    public let description: String
}

extension Bus {
    /// Runs what is ready in this service's own queues until nothing is: a worker of its own is started for it and stopped
    /// in good order. What is due later stays where it is.
    /// - Parameters:
    ///   - database: the service's own.
    ///   - queues: as ``Worker`` takes them.
    ///   - handlers: as ``Worker`` takes them.
    ///   - limit: how long it may take at most.
    /// - Throws: ``JobQueueTestFailure`` when it takes longer; what the worker throws; `DatabaseError`.
    public func drain(
        on database: Database, queues: [QueueDeclaration] = [], handlers: [Handler],
        within limit: Duration = .seconds(30)
    ) async throws {
        let worker = Worker(bus: self, queues: queues, handlers: handlers)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: worker)], logger: Logger(label: "drain") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(try await self.waitUntilEmpty(database, limit))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    private func waitUntilEmpty(_ database: Database, _ limit: Duration) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        while true {
            let busy = try await QueueAdministration(database).stats().filter {
                $0.owner == self.service && $0.ready + $0.running > 0
            }
            if busy.isEmpty { return }
            guard ContinuousClock.now < end else {
                let names = busy.map { "\($0.name) (\($0.ready) ready, \($0.running) running)" }
                throw JobQueueTestFailure(
                    description: "Within \(limit) not drained: " + names.joined(separator: ", "))
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }
}
