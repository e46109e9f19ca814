import FoundationEssentials
import Glibc

/// The folder of a system that `club up` runs: its database, secrets, log, and what is running now.
struct SystemFolder: Sendable, Hashable {
    let path: String

    /// `--data DIR`, else `CLUB_DATA`, else `.club` here.
    init(option: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        let named = option ?? environment["CLUB_DATA"].flatMap { $0.isEmpty ? nil : $0 } ?? ".club"
        let base = FileManager.default.currentDirectoryPath
        self.path = named.hasPrefix("/") ? named : "\(base)/\(named)"
    }

    var stateFile: String { "\(self.path)/state.json" }
    var lockFile: String { "\(self.path)/lock" }
    var secretsFolder: String { "\(self.path)/secrets" }
    /// What a detached system and its services write. ``LogFile`` keeps it within bounds.
    var logFile: String { "\(self.path)/log" }

    /// Makes the folders that are missing. Nobody else may look into them.
    func prepare() throws {
        do {
            for folder in [self.path, self.secretsFolder] where !FileManager.default.fileExists(atPath: folder) {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw CommandFailure(.cannotCreate, "The folder \(self.path) cannot be made.")
        }
    }

    /// What ran here last, alive or not.
    func loadState() -> SystemState? {
        FileManager.default.contents(atPath: self.stateFile).flatMap {
            try? JSONDecoder().decode(SystemState.self, from: $0)
        }
    }

    /// What runs here now; nil when nothing does, or the process that ran it is gone.
    func runningState() -> SystemState? {
        guard let state = self.loadState(), state.supervisor.isAlive else { return nil }
        return state
    }

    /// What runs here.
    /// - Throws: ``CommandFailure`` (69) that says how to start it.
    func requireRunning() throws -> SystemState {
        guard let state = self.runningState() else {
            throw CommandFailure(
                .unavailable,
                "No system runs in \(self.path): start it with `club up --detach`, or name its folder with --data or "
                    + "CLUB_DATA.")
        }
        return state
    }

    /// Replaces the state in one step, so that a reader sees the old or the new one.
    func save(_ state: SystemState) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(state).write(to: URL(filePath: self.stateFile), options: .atomic)
    }

    func removeState() {
        unlink(self.stateFile)
    }

    /// Takes the folder for this process until it ends, so that two systems never share one.
    /// - Returns: the lock's descriptor, which the kernel gives back when the process ends; nil when another has it.
    func lock() throws -> Int32? {
        let descriptor = open(self.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.cannotCreate, "\(self.lockFile) cannot be written.") }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        close(descriptor)
        return nil
    }
}
