import ArgumentParser
import JobQueue
import Kernel
import Logging
import Postgres
import ServiceLifecycle
import UnixSignals

/// One process of the service: does the jobs, now and then badly.
struct WorkerProcess: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Work for the mix (it starts and kills these).", shouldDisplay: false)

    @Argument var conninfo: String

    struct Clumsy: Error {}

    func run() async throws {
        let reactor = try Reactor()
        let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        let (database, listener) = Stage.database(self.conninfo, reactor, logger, pool: 12)
        let bus = Bus(service: Queues.service, database: database, listener: listener, logger: logger)
        let worker = Worker(bus: bus, queues: Queues.all, handlers: Self.handlers(bus))
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: worker)], gracefulShutdownSignals: [.sigterm], logger: logger)
        ).run()
    }

    private static func handlers(_ bus: Bus) -> [Handler] {
        [
            .transactional(KeyedStep.self) { step, job, transaction in
                try await transaction.execute(
                    Books.effect(job.id, KeyedStep.queue, key: step.orderingKey, step.number))
                try await Self.stumble()
            },
            .transactional(SingleJob.self) { single, job, transaction in
                try await transaction.execute(Books.effect(job.id, SingleJob.queue, single.number))
                let next = try await bus.send(FollowUp(cause: single.number), in: transaction)
                try await transaction.execute(Books.sent(next, FollowUp.queue, single.number))
                try await Self.stumble()
            },
            .batch(BatchJob.self, limit: 100) { jobs, transaction in
                for job in jobs {
                    try await transaction.execute(Books.effect(job.context.id, BatchJob.queue, job.message.number))
                }
                try await Self.stumble()
            },
            .transactional(FollowUp.self) { follow, job, transaction in
                try await transaction.execute(Books.effect(job.id, FollowUp.queue, follow.cause))
            },
        ]
    }

    /// One in twenty fails after its effects, one in a hundred takes its time.
    private static func stumble() async throws {
        switch Int.random(in: 0..<100) {
        case 0..<5: throw Clumsy()
        case 5: try await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 100...1500)))
        default: break
        }
    }
}
