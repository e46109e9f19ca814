import FoundationEssentials
import Glibc

/// This program once more, in a session of its own, so that it outlives the terminal and the command that started it.
struct DetachedProcess: Sendable {
    let identity: ProcessIdentity

    /// Leaves the starter's session: a GNU flag of posix_spawn(3) that Swift's Glibc module does not show.
    private static let setSession: Int16 = 0x80

    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - log: where standard output and standard error go, at the file's end.
    /// - Throws: ``CommandFailure`` (70) when the system does not start it.
    static func start(arguments: [String], log: String) throws -> DetachedProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Self.setSession)

        let words = (["club"] + arguments).map { strdup($0) }
        let variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, words + [nil], variables + [nil])
        guard status == 0, let identity = ProcessIdentity(pid: pid) else {
            throw CommandFailure(.software, "The system cannot be started in the background: \(Self.reason(status)).")
        }
        return DetachedProcess(identity: identity)
    }

    /// The process's exit code when it has ended; nil while it runs. A killed one has 128 and the signal's number.
    func exitCode() -> Int32? {
        var status: Int32 = 0
        guard waitpid(self.identity.pid, &status, WNOHANG) == self.identity.pid else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    private static func reason(_ status: Int32) -> String {
        status == 0 ? "it ended at once" : String(cString: strerror(status))
    }
}
