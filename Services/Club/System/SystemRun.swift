import AsyncHTTPClient
import EmbeddedPostgres
import Glibc
import Kernel
import Logging
import NIOConcurrencyHelpers
import Postgres
import ServiceLifecycle

/// A whole system for as long as it is wanted: its database, and the services, in this process or each in its own.
///
/// A graceful shutdown ends it in order: the services finish what they are doing, then the database stops.
struct SystemRun: Service {
    let folder: SystemFolder
    let plan: ServicePlan
    let logger: Logger
    /// Called once everything is ready.
    let onReady: @Sendable (SystemState) async -> Void

    func run() async throws {
        let postgres = try await EmbeddedPostgres.start(in: self.folder.path, logger: self.logger)
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await withGracefulShutdownHandler {
                    try await self.serve(on: postgres)
                } onGracefulShutdown: {
                    // For whoever has pressed Ctrl-C: it takes a moment until everything is written down.
                    if isatty(STDERR_FILENO) == 1 { Output.note("\nStopping …") }
                })
        } catch {
            result = .failure(error)
        }
        // Unowned: a cancelled task could not wait for the database to write everything down.
        try await Task { [folder = self.folder] in
            try await postgres.stop(.fast)
            folder.removeState()
        }.value
        try result.get()
    }

    private func serve(on postgres: EmbeddedPostgres) async throws {
        let secrets = SystemSecrets(self.folder)
        let setup = SystemSetup(secrets: secrets, reactor: try Reactor(), logger: self.logger)
        _ = try await setup(OperatorSession.configuration(of: postgres))
        let record = try StateRecord(self.plan, in: self.folder)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.plan.run(database: postgres.address, secrets: secrets, record: record)
                return true
            }
            if let partners = self.plan.partners(secrets) {
                group.addTask {
                    try await partners.run()
                    return false
                }
            }
            group.addTask {
                await self.announce(record)
                return false
            }
            group.addTask {
                await DatabaseGuard(postgres: postgres).run()
                return false
            }
            group.addTask {
                await LogKeeper(logs: [LogFile(self.plan.log), LogFile(postgres.logFile)]).run()
                return false
            }
            while let isEnd = try await group.next() {
                if isEnd { group.cancelAll() }
            }
        }
    }

    /// Says when everything is ready; says nothing when it ends before.
    private func announce(_ record: StateRecord) async {
        do {
            try await HTTPClient.withClient { http in
                try await Readiness(http: http).wait(for: record.state.services) { try Task.checkCancellation() }
            }
        } catch {
            return
        }
        await self.onReady(record.state)
    }
}

/// The state file, kept up to date while services come and go.
final class StateRecord: Sendable {
    private let box: NIOLockedValueBox<SystemState>
    private let folder: SystemFolder

    /// Writes down what is planned, so that others can wait for it.
    init(_ plan: ServicePlan, in folder: SystemFolder) throws {
        guard let me = ProcessIdentity.current else {
            throw CommandFailure(.software, "/proc does not show this process.")
        }
        let state = SystemState(
            supervisor: me, startedAt: SystemClock().now, isSeparate: plan.isSeparate,
            services: plan.services.map { service in
                .init(name: service.text, url: plan.url(of: service), process: plan.isSeparate ? nil : me)
            }, simulator: plan.isDemo ? plan.simulator : nil)
        self.box = NIOLockedValueBox(state)
        self.folder = folder
        try folder.save(state)
    }

    var state: SystemState { self.box.withLockedValue { $0 } }

    /// A service has a new process, or none.
    func set(_ process: ProcessIdentity?, of service: ServiceName) {
        self.box.withLockedValue { state in
            for index in state.services.indices where state.services[index].name == service.text {
                state.services[index].process = process
            }
            do {
                try self.folder.save(state)
            } catch {
                Output.note("The state of the system cannot be written: \(error)")
            }
        }
    }
}

/// Starts the database again when it has gone for good, as after a crash.
///
/// Whoever stops it on purpose for a moment starts it again before that: two starts at once would be one too many.
struct DatabaseGuard: Sendable {
    let postgres: EmbeddedPostgres

    private static let interval = Duration.seconds(1)
    private static let patience = Duration.seconds(10)

    /// Until the task is cancelled.
    func run() async {
        var goneSince: ContinuousClock.Instant?
        while (try? await Task.sleep(for: Self.interval)) != nil {
            if self.postgres.isRunning {
                goneSince = nil
                continue
            }
            let since = goneSince ?? .now
            goneSince = since
            guard ContinuousClock.now - since >= Self.patience else { continue }
            Output.note("PostgreSQL is gone; starting it again.")
            do {
                try await self.postgres.restart()
            } catch {
                Output.note("\(error)")
            }
        }
    }
}
