internal import Subprocess
internal import SystemPackage

/// A command of somebody else's, run to its end.
struct Command: Sendable {
    /// What a finished command left behind.
    struct Result: Sendable {
        let succeeded: Bool
        let output: String
        let errors: String

        /// The last line that says something: what a person wants to read of a failure.
        var lastWords: String {
            let lines = (self.output + "\n" + self.errors).split(separator: "\n").map { $0.trimmingSpaces() }
            return lines.last { !$0.isEmpty } ?? "it gave no reason"
        }
    }

    /// An absolute path, or a name that is looked up in PATH.
    let program: String
    let arguments: [String]
    /// Whom the command runs as; nil for ourselves.
    var account: ServerAccount?
    var input: String = ""

    /// Runs the command and collects what it prints; an exit code other than zero is a result, not an error.
    func run() async throws -> Result {
        var options = PlatformOptions()
        // Ctrl-C is for us, who end things in order: it must not break off the making of a cluster.
        options.createSession = true
        let words = self.prefix + [self.program] + self.arguments
        let executable = words[0].contains("/") ? Executable.path(FilePath(words[0])) : .name(words[0])
        let finished = try await Subprocess.run(
            executable,
            arguments: Arguments(Array(words.dropFirst())),
            environment: Self.environment,
            // The server's account may not be able to enter the folder we were started in.
            workingDirectory: "/",
            platformOptions: options,
            input: .string(self.input),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        return Result(
            succeeded: finished.terminationStatus.isSuccess, output: finished.standardOutput,
            errors: finished.standardError)
    }

    /// setpriv(1) of util-linux changes the account. Doing it between fork and exec, as the library's platform options
    /// would, hangs now and then: glibc's setgroups() waits for threads that the child does not have.
    private var prefix: [String] {
        guard let account = self.account else { return [] }
        return ["setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--"]
    }

    /// Runs the command; a failure becomes a sentence that starts with `purpose`.
    @discardableResult
    func runOrThrow(purpose: String) async throws -> String {
        let result = try await self.run()
        guard result.succeeded else {
            throw EmbeddedPostgresError(.commandFailed, "\(purpose) failed: \(result.lastWords)")
        }
        return result.output
    }

    /// Ours without what would point the commands at another server; messages in English, so that logs read alike.
    private static let environment: Environment = .inherit.updating([
        "PGDATA": nil, "PGHOST": nil, "PGHOSTADDR": nil, "PGPORT": nil, "PGUSER": nil, "PGDATABASE": nil,
        "PGPASSWORD": nil, "PGPASSFILE": nil, "PGSERVICE": nil, "PGSERVICEFILE": nil, "PGOPTIONS": nil,
        "LC_ALL": "C", "LANG": "C",
    ])
}

extension StringProtocol {
    /// Without the spaces, tabs and line ends at both ends.
    func trimmingSpaces() -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        guard let first = self.firstIndex(where: { !blank($0) }), let last = self.lastIndex(where: { !blank($0) })
        else {
            return ""
        }
        return String(self[first...last])
    }
}
