internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// What somebody of a service has to do once a second: promote what is due, rescue what is lost; and once an hour the
/// days to come. Every process of the service does it; the database sees to it that they do not do it twice.
struct Chores: Sendable {
    static let interval = Duration.seconds(1)
    static let daysAhead = 7
    static let limit = 1000

    let bus: Bus
    /// Rung with nothing to say when a job was put off for less than the interval.
    let alarm: Alarm

    /// Until the task is cancelled.
    func run() async {
        var nextDays = ContinuousClock.now
        while !Task.isCancelled {
            var pause = Self.interval
            if let worker = self.bus.membership.joined?.worker {
                do {
                    if nextDays <= .now {
                        try await self.bus.database.execute(LifeStatements.prepareDays(ahead: Self.daysAhead))
                        try await self.bus.database.execute(LifeStatements.dropStaleReplies)
                        nextDays = .now.advanced(by: .seconds(3600))
                    }
                    pause = try await self.tend(worker)
                } catch {
                    self.bus.logger.debug("Chores failed", metadata: ["error": "\(Failure(error).code)"])
                }
            }
            _ = await self.alarm.wait(upTo: pause, isIdle: true)
        }
    }

    /// - Returns: how long until the next job is due, at most the interval.
    private func tend(_ worker: Int32) async throws -> Duration {
        let row = try await self.bus.database.one(LifeStatements.tend(worker, limit: Self.limit))
        let queues = try row.value(at: 0, as: [Int16].self)
        if !queues.isEmpty {
            self.bus.doorbell.ring(queues.map { ($0, self.bus.service) })
        }
        guard let due = try row.value(at: 1, as: Int64?.self) else { return Self.interval }
        return min(Self.interval, max(.milliseconds(1), .milliseconds(due)))
    }
}
