import Kernel
import Subprocess
import SystemPackage

/// A service as a process of its own, started again whenever it dies.
struct ServiceProcess: Sendable {
    let name: ServiceName
    let executable: String
    /// On top of ours.
    let environment: [String: String]
    /// Standard error of the service, at the file's end.
    let log: FileDescriptor
    /// Told of each new process, and of its end with nil.
    let onChange: @Sendable (ProcessIdentity?) -> Void

    private static let shortestPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(10)
    /// One that lived so long was well.
    private static let healthyLife = Duration.seconds(10)
    /// One that ends by itself so often, and never lived that long, would do so for ever: a port that is taken.
    private static let failuresMax = 5
    /// Longer than the service's own time for finishing.
    private static let patience = Duration.seconds(35)

    /// Runs until the task is cancelled, which stops the service in an orderly way.
    /// - Throws: ``CommandFailure`` when starting it again would not help: 78 when the service refuses its settings, 69
    ///   when it cannot even begin.
    func run() async throws {
        var pause = Self.shortestPause
        var failures = 0
        var wasHealthy = false
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let status: TerminationStatus
            do {
                status = try await self.once()
            } catch is CancellationError {
                return
            }
            self.onChange(nil)
            if Task.isCancelled { return }
            if status == .exited(CommandFailure.Code.configuration.rawValue) {
                throw CommandFailure(
                    .configuration, "The service \(self.name) refuses its settings; its log says which.")
            }
            if ContinuousClock.now - start > Self.healthyLife {
                wasHealthy = true
                pause = Self.shortestPause
            }
            if case .exited = status { failures += 1 }
            guard wasHealthy || failures < Self.failuresMax else {
                throw CommandFailure(.unavailable, "The service \(self.name) ends as soon as it is started.")
            }
            Output.note("The service \(self.name) ended (\(status)); starting it again in \(pause).")
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func once() async throws -> TerminationStatus {
        var options = PlatformOptions()
        // Ctrl-C in the terminal is for us to pass on.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
        let variables = self.environment.map { (Environment.Key(rawValue: $0.key), $0.value as String?) }
        let keyed = variables.compactMap { key, value in key.map { ($0, value) } }
        let result = try await Subprocess.run(
            .path(FilePath(self.executable)),
            environment: .inherit.updating(Dictionary(keyed) { $1 }),
            platformOptions: options,
            input: .none,
            output: .fileDescriptor(self.log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(self.log, closeAfterSpawningProcess: false)
        ) { execution in
            self.onChange(ProcessIdentity(pid: execution.processIdentifier.value))
        }
        return result.terminationStatus
    }
}
