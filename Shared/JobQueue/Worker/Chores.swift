internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// What somebody of a service has to do once a second: promote what is due, fire what is periodic, rescue what is lost;
/// and now and then keep the storage flat. Every process does it; the database sees to it that they do not do it twice.
struct Chores: Sendable {
    static let interval = Duration.seconds(1)
    static let shortPause = Duration.milliseconds(50)
    static let limit = 1000
    /// How often the search for what is due begins at the beginning: what was committed late may stand before its floor.
    static let fullSearch = Duration.seconds(10)

    /// What keeps the storage flat, and how often.
    static let steps: [(name: String, every: Duration)] = [
        ("retain", .seconds(3600)), ("turn", .seconds(10)), ("compact", .seconds(30)), ("tidy", .seconds(60)),
    ]

    let bus: Bus
    /// Rung with nothing to say when a job was put off for less than the interval.
    let alarm: Alarm
    let periodic: PeriodicDuty

    /// Until the task is cancelled.
    func run() async {
        var due = Self.steps.map { _ in ContinuousClock.now }
        var floor: Timestamp?
        var fullSearch = ContinuousClock.now
        while !Task.isCancelled {
            var pause = Self.interval
            if let worker = self.bus.membership.joined?.worker {
                do {
                    for (index, step) in Self.steps.enumerated() where due[index] <= .now {
                        try await self.bus.database.execute(LifeStatements.keepFlat(worker, step.name))
                        due[index] = .now.advanced(by: step.every)
                    }
                    if fullSearch <= .now {
                        (floor, fullSearch) = (nil, .now.advanced(by: Self.fullSearch))
                    }
                    (pause, floor) = try await self.tend(worker, floor)
                    if let due = await self.periodic.perform() { pause = min(pause, max(.milliseconds(1), due)) }
                } catch {
                    self.bus.logger.debug("Chores failed", metadata: ["error": "\(Failure(error).code)"])
                }
            }
            _ = await self.alarm.wait(upTo: pause, isIdle: true)
        }
    }

    /// - Parameter floor: what the last round answered; nil: look at everything that is due.
    /// - Returns: how long until there is something to do (at most the interval, and not long when something was found,
    ///   because a round takes only so much), and where the next round may begin.
    private func tend(_ worker: Int32, _ floor: Timestamp?) async throws -> (pause: Duration, floor: Timestamp?) {
        let row = try await self.bus.database.one(LifeStatements.tend(worker, limit: Self.limit, floor: floor))
        self.bus.membership.hasShownLife()
        let queues = try row.value(at: 0, as: [Int16].self)
        if !queues.isEmpty {
            self.bus.doorbell.ring(queues.map { ($0, self.bus.service) })
        }
        let pause = queues.isEmpty ? Self.interval : Self.shortPause
        let next = try row.value(at: 2, as: Timestamp.self)
        guard let due = try row.value(at: 1, as: Int64?.self) else { return (pause, next) }
        return (min(pause, max(.milliseconds(1), .milliseconds(due))), next)
    }
}
