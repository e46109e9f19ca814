internal import Kernel
internal import NIOConcurrencyHelpers
internal import Postgres

/// What binds a running handler to its job: progress, more time, and the result that it leaves.
final class Tether: Sendable {
    static let reportInterval = Duration.seconds(1)

    private struct State {
        var lastReport: ContinuousClock.Instant?
        var result: RawJSON?
    }

    private let job: ClaimedJob
    private let statements: RunStatements
    private let database: Database
    private let leash: Leash
    private let seal: @Sendable (RawJSON) throws -> RawJSON
    private let state = NIOLockedValueBox(State())

    /// - Parameter seal: gives a result the form in which the job's queue keeps it.
    init(
        _ job: ClaimedJob, _ statements: RunStatements, _ database: Database, _ leash: Leash,
        seal: @escaping @Sendable (RawJSON) throws -> RawJSON
    ) {
        self.job = job
        self.statements = statements
        self.database = database
        self.leash = leash
        self.seal = seal
    }

    var result: RawJSON? { self.state.withLockedValue(\.result) }

    func keep(_ result: RawJSON) throws {
        let result = try self.seal(result)
        self.state.withLockedValue { $0.result = result }
    }

    func report(_ progress: JobProgress) async {
        let now = ContinuousClock.now
        let isDue = self.state.withLockedValue { state in
            if let last = state.lastReport, now - last < Self.reportInterval { return false }
            state.lastReport = now
            return true
        }
        // Progress is for onlookers: that it cannot be written is no reason to fail.
        if isDue { _ = try? await self.database.run(self.statements.report(self.job, progress)) }
    }

    func extend(by time: Duration) async throws {
        let until = ContinuousClock.now.advanced(by: time)
        let row = try await self.database.one(self.statements.extend(self.job, by: time))
        guard try row.value(at: 0, as: Bool.self) else { throw JobFailure.permanent("lease-lost") }
        self.leash.extend(to: until)
    }
}
