internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres

/// Rings for other processes after a commit.
///
/// NOTIFY inside of a transaction takes a lock on the whole database that is held across the flush of its commit
/// (`PreCommit_Notify` in PostgreSQL's async.c), so one notifying writer stops all others. Here the writer only
/// remembers the queues it has filled; when its transaction has been committed they come here, and one short statement
/// on another connection wakes those who sleep:
///
///     writer    begin ── insert job ── commit ─┐
///     doorbell                                 └─► read sleepers, NOTIFY those ── commit (no flush)
///     worker    … asleep ─────────────────────────────────────────────────────────► claim
///
/// A bell that fails costs at most a poll interval; its failure is counted and never reaches the writer.
final class Doorbell: Sendable {
    private let state = NIOLockedValueBox(DoorbellState())
    private let alarm = Alarm()
    private let neighbourhood: Neighbourhood
    private let metrics: BusMetrics

    private let logger: Logger

    init(neighbourhood: Neighbourhood, metrics: BusMetrics, logger: Logger) {
        self.neighbourhood = neighbourhood
        self.metrics = metrics
        self.logger = logger
    }

    /// After a commit that has filled this queue.
    func ring(_ queue: Int16, of service: ServiceName) {
        guard !self.neighbourhood.pokeWorkers(of: service) else { return }
        self.ringAway(queues: [queue])
    }

    /// After a commit that has filled queues of these services.
    func ring(_ queues: [(number: Int16, service: ServiceName)]) {
        let services = Set(queues.map(\.service))
        let served = services.filter { self.neighbourhood.pokeWorkers(of: $0) }
        let away = queues.filter { !served.contains($0.service) }.map(\.number)
        guard !away.isEmpty else { return }
        self.ringAway(queues: away)
    }

    /// After a commit that has answered a call.
    func ring(instance: Int32) {
        guard !self.neighbourhood.pokeInstance(instance) else { return }
        self.state.withLockedValue { $0.ring(instances: [instance]) }
        self.alarm.ring(.change)
    }

    /// For other processes only: this one knows already, and cannot take all that there is.
    func ringAway(queues: [Int16]) {
        self.state.withLockedValue { $0.ring(queues: queues) }
        self.alarm.ring(.change)
    }

    /// Rings until the task is cancelled.
    func run(_ perform: (SQL) async throws -> Void) async {
        while !Task.isCancelled {
            guard let round = self.state.withLockedValue({ $0.nextRound() }) else {
                _ = await self.alarm.wait(upTo: nil, isIdle: true)
                continue
            }
            await self.send(round, perform)
            let pause = self.state.withLockedValue { $0.pause(after: round) }
            try? await ContinuousClock().sleep(for: pause)
        }
    }

    /// What is left when the process stops.
    func flush(_ perform: (SQL) async throws -> Void) async {
        if let round = self.state.withLockedValue({ $0.nextRound() }) { await self.send(round, perform) }
    }

    private func send(_ round: DoorbellState.Round, _ perform: (SQL) async throws -> Void) async {
        do {
            try await perform(LifeStatements.bell(queues: round.queues.sorted(), instances: round.instances.sorted()))
            self.metrics.bellsSent.increment()
        } catch {
            self.metrics.bellsFailed.increment()
            self.logger.debug(
                "Bell failed; the poll will find the jobs", metadata: ["error": "\(Failure(error).code)"])
        }
    }
}
