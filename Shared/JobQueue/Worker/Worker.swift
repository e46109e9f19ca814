internal import Kernel
internal import Logging
internal import Postgres
public import ServiceLifecycle

/// Does the jobs of one service in one process.
///
/// On a graceful stop it claims nothing more, lets running handlers end, gives the rest back without counting an
/// attempt, and leaves. While the database is away it waits and comes back by itself.
public struct Worker: Service {
    /// How long handlers may go on after the order to stop, before they are cancelled and their jobs given back.
    public var stopPatience = Duration.seconds(10)

    private let bus: Bus
    private let declarations: [QueueDeclaration]
    private let handlers: [QueueName: [String: Handler]]
    private let periodic: PeriodicDuty

    /// - Parameters:
    ///   - queues: the service's own queues. One that only a handler names has the default policies.
    ///   - handlers: at most one for a kind of message in a queue; of a queue all are batched or none is.
    ///   - periodic: the service's own periodic jobs, each with a name of its own.
    public init(
        bus: Bus, queues: [QueueDeclaration] = [], handlers: [Handler] = [], periodic: [PeriodicJob] = []
    ) {
        var byQueue: [QueueName: [String: Handler]] = [:]
        for handler in handlers {
            precondition(byQueue[handler.queue]?[handler.kind] == nil, "two handlers for \(handler.kind)")
            byQueue[handler.queue, default: [:]][handler.kind] = handler
        }
        for (queue, handlers) in byQueue {
            precondition(Set(handlers.values.map(\.isBatched)).count == 1, "\(queue) is batched in part")
        }
        for queue in queues where queue.rate != nil {
            precondition(byQueue[queue.name]?.values.first?.isBatched != true, "\(queue.name) has a rate and batches")
        }
        precondition(Set(periodic.map(\.name)).count == periodic.count, "two periodic jobs of one name")
        precondition(periodic.allSatisfy { $0.name.service == bus.service }, "a periodic job of another service")
        let declared = Set(queues.map(\.name))
        self.bus = bus
        self.handlers = byQueue
        self.periodic = PeriodicDuty(bus: bus, jobs: periodic)
        self.declarations = queues + byQueue.keys.filter { !declared.contains($0) }.map { QueueDeclaration($0) }
    }

    /// Until the service is asked to stop.
    public func run() async throws {
        let bus = self.bus
        let declared = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let isStopping = AsyncStream.makeStream(of: Void.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await bus.runStation { control in
                    try await self.declare(on: control)
                    declared.continuation.yield()
                }
            }
            await withGracefulShutdownHandler {
                await self.work(whenDeclared: declared.stream, isStopping: isStopping.stream)
            } onGracefulShutdown: {
                isStopping.continuation.finish()
                declared.continuation.finish()
            }
            await bus.doorbell.flush { try await bus.perform($0) }
            group.cancelAll()
        }
    }

    private func work(whenDeclared declared: AsyncStream<Void>, isStopping: AsyncStream<Void>) async {
        // The numbers of the queues are known once the database has been reached for the first time.
        var iterator = declared.makeAsyncIterator()
        guard await iterator.next() != nil else { return }
        let chores = Chores(bus: self.bus, alarm: Alarm(), periodic: self.periodic)
        let runner = JobRunner(
            bus: self.bus, handlers: self.handlers,
            metrics: Dictionary(uniqueKeysWithValues: self.declarations.map { ($0.name, QueueMetrics($0.name)) }),
            chores: chores.alarm, completions: CompletionBuffer(self.bus.database))
        let loop = ClaimLoop(bus: self.bus, runner: runner, plans: self.plans, patience: self.stopPatience)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await chores.run() }
            group.addTask { await runner.completions.run() }
            group.addTask {
                for await _ in isStopping {}
                loop.stop()
            }
            await loop.run()
            group.cancelAll()
        }
    }

    private func declare(on control: Connection) async throws {
        if !self.declarations.isEmpty {
            for row in try await control.query(LifeStatements.declare(self.bus.service, self.declarations)) {
                guard let name = QueueName(try row.value(at: 0, as: String.self)) else { continue }
                self.bus.directory.learn(
                    QueueEntry(name: name, number: try row.value(at: 1), isEncrypted: try row.value(at: 2)))
            }
        }
        for (queue, handlers) in self.handlers {
            let events = handlers.values.filter(\.isSubscription).map(\.kind).sorted()
            guard !events.isEmpty, let number = self.bus.directory.known(queue) else { continue }
            try await control.execute(LifeStatements.subscribe(number, to: events))
        }
    }

    private var plans: [WorkerState.Plan] {
        self.declarations.compactMap { declaration in
            guard let number = self.bus.directory.known(declaration.name),
                let handlers = self.handlers[declaration.name]?.values, let first = handlers.first
            else { return nil }
            let slots = declaration.slots
            let limit = handlers.map(\.batchLimit).min() ?? 1
            let leasesBatches = first.isBatched && self.bus.listening == .pollOnly
            // A job for the outside world is claimed when it can start; others may wait in hand for a moment.
            let isLeased = handlers.contains(where: \.isLeased)
            var capacity = isLeased ? slots : slots * 4
            var refill = isLeased ? slots - 1 : slots * 2
            // A running batch counts as one job in hand, and the next ones may wait.
            if leasesBatches { (capacity, refill) = (slots * (limit + 1), slots) }
            return WorkerState.Plan(
                number: number, name: declaration.name, slots: slots, capacity: capacity, refill: refill,
                isBatched: first.isBatched && !leasesBatches, batchLimit: limit, lease: declaration.lease,
                gather: declaration.gather, isAdmitted: declaration.order != .none, leasesBatches: leasesBatches,
                isCounted: declaration.runningMax != nil)
        }
    }
}
