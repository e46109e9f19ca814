import AsyncHTTPClient
import FoundationEssentials

/// Starts a system in the background and waits until it is ready.
struct DetachedStart: Sendable {
    let folder: SystemFolder

    /// The first start makes a database; a recovery after a crash may take long.
    private static let patience = Duration.seconds(180)
    private static let pause = Duration.milliseconds(20)
    /// Lines of the log that are shown when the start fails.
    private static let lastWords = 15

    /// - Parameter arguments: of the `club` that goes on in the background.
    /// - Throws: ``CommandFailure`` with the exit code of the process when it ends instead, after its last words.
    func run(_ arguments: [String]) async throws -> SystemState {
        try self.folder.prepare()
        // Of starts that fail again and again, too.
        LogFile(self.folder.logFile).rotateIfFull()
        let process = try DetachedProcess.start(arguments: arguments, log: self.folder.logFile)
        do {
            return try await self.wait(for: process)
        } catch {
            // Whatever stands in the way, nothing half-started is left behind.
            try? await process.identity.stop(patience: .seconds(30))
            Output.note(Self.tail(of: self.folder.logFile))
            throw error
        }
    }

    private func wait(for process: DetachedProcess) async throws -> SystemState {
        let deadline = ContinuousClock.now + Self.patience
        func check() throws {
            if let code = process.exitCode() {
                throw CommandFailure(
                    CommandFailure.Code(rawValue: code) ?? .software,
                    "The system did not start; \(self.folder.logFile) ends as above.")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.unavailable, "The system did not become ready within \(Self.patience).")
            }
        }
        while true {
            try check()
            if let state = self.folder.runningState(), state.supervisor == process.identity {
                try await HTTPClient.withClient { http in
                    try await Readiness(http: http).wait(for: state.services, check: check)
                }
                return self.folder.runningState() ?? state
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private static func tail(of file: String) -> String {
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").suffix(Self.lastWords).joined(separator: "\n")
    }
}
