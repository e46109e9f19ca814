internal import Kernel
internal import Logging
internal import NIOConcurrencyHelpers
internal import Postgres

/// What a process does for the periodic jobs that its code declares.
struct PeriodicDuty: Sendable {
    /// More than this are due at once only after an outage; the rest follows a moment later.
    static let limit = 100
    /// How often a process says that it still has its jobs.
    static let declarationInterval = Duration.seconds(3600)

    private struct State {
        /// When this process declared for the first time, by the server's clock: of two versions the younger one decides.
        var started: Timestamp?
        var nextDeclaration = ContinuousClock.now
    }

    private let bus: Bus
    private let jobs: [PeriodicJob]
    private let state = NIOLockedValueBox(State())

    init(bus: Bus, jobs: [PeriodicJob]) {
        self.bus = bus
        self.jobs = jobs
    }

    /// Declares the jobs when it is time to, and sends what is due. Never throws: what goes wrong with a periodic job
    /// keeps nobody from rescues and promotions.
    /// - Returns: how long until the next job is due; nil when that is not known.
    func perform() async -> Duration? {
        guard !self.jobs.isEmpty else { return nil }
        do {
            try await self.declare()
            return try await self.fire()
        } catch {
            let level: Logger.Level = error.isOutage || error is CancellationError ? .debug : .warning
            self.bus.logger.log(
                level: level, "Periodic jobs were not looked at", metadata: ["error": "\(Failure(error).code)"])
            return nil
        }
    }

    /// What the database refuses (a time zone that it does not know, a queue that does not take this service's commands)
    /// is an error in the log, and is tried again an hour later; what was declared before goes on.
    private func declare() async throws {
        let state = self.state.withLockedValue { $0 }
        guard state.nextDeclaration <= .now else { return }
        var started = state.started
        do {
            let row = try await self.bus.database.one(
                try PeriodicStatements.declare(self.bus.service, self.jobs, started: started))
            started = try row.value(at: 0, as: Timestamp.self)
        } catch let error as DatabaseError where [.invalidValue, .insufficientPrivilege].contains(error.code) {
            self.bus.logger.error("Periodic jobs refused", metadata: ["error": "\(error)"])
        }
        self.state.withLockedValue {
            $0 = State(started: started, nextDeclaration: .now.advanced(by: Self.declarationInterval))
        }
    }

    private func fire() async throws -> Duration? {
        let row = try await self.bus.database.one(
            PeriodicStatements.fire(self.bus.service, self.jobs.map(\.name), limit: Self.limit))
        let owners = try row.value(at: 1, as: [String].self)
        let queues = zip(try row.value(at: 0, as: [Int16].self), owners).map { number, owner in
            (number, ServiceName(owner) ?? self.bus.service)
        }
        if !queues.isEmpty { self.bus.doorbell.ring(queues) }
        return try row.value(at: 2, as: Int64?.self).map { .milliseconds($0) }
    }
}
