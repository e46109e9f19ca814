internal import FoundationEssentials
internal import Glibc

/// The server as a process: started, found and stopped.
struct ServerProcess: Sendable {
    /// How long a start may take; the recovery after a crash is part of it.
    static let startLimitSeconds = 120
    /// How long a start waits for the sessions of a killed server to end.
    static let leftoverLimit = Duration.seconds(15)

    let installation: PostgresInstallation
    let account: ServerAccount?
    let state: ClusterState

    func start() async throws {
        try self.writeSettings()
        self.removeStaleLocks()
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: Self.leftoverLimit)
        while true {
            let result = try await self.control([
                "start", "--wait", "--timeout=\(Self.startLimitSeconds)", "--log=\(self.state.log)",
            ]).run()
            if result.succeeded { return }
            let reason = self.lastFatalLine() ?? result.lastWords
            // The sessions of a killed server live until they notice; the data are theirs until then.
            guard reason.contains("shared memory block"), clock.now < deadline else {
                let isPort = reason.contains("could not create any TCP/IP sockets")
                throw EmbeddedPostgresError(
                    isPort ? .portTaken : .commandFailed,
                    "PostgreSQL did not start: \(reason) (see \(self.state.log)).")
            }
            try await clock.sleep(for: .milliseconds(200))
        }
    }

    /// Waits for a server that somebody started; `pg_ctl start` says at once when it is up.
    func waitUntilReady() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(Self.startLimitSeconds))
        while !Self.pidFileLines(of: self.state).contains(where: { $0.hasPrefix("ready") }) {
            guard Self.processID(of: self.state) != nil, clock.now < deadline else {
                throw EmbeddedPostgresError(
                    .commandFailed, "PostgreSQL did not become ready (see \(self.state.log)).")
            }
            try await clock.sleep(for: .milliseconds(50))
        }
    }

    func stop(_ mode: EmbeddedPostgres.StopMode) async throws {
        try await self.control(["stop", "--mode=\(mode.rawValue)", "--wait", "--timeout=60"])
            .runOrThrow(purpose: "Stopping PostgreSQL in \(self.state.data)")
    }

    /// The server's process, nil when none is alive.
    ///
    /// A crash leaves `postmaster.pid` behind, and its number may meanwhile be somebody else's: only a process that
    /// works in the data folder counts.
    static func processID(of state: ClusterState) -> pid_t? {
        guard let first = Self.pidFileLines(of: state).first, let number = pid_t(first), number > 0 else { return nil }
        guard
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd"),
            let data = realpath(state.data, nil)
        else { return nil }
        defer { free(data) }
        return place == String(cString: data) ? number : nil
    }

    private static func pidFileLines(of state: ClusterState) -> [String] {
        let text = (try? String(contentsOfFile: "\(state.data)/postmaster.pid", encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
    }

    /// PostgreSQL refuses to start while the number in these files is alive, whoever has it now, and be it a zombie.
    private func removeStaleLocks() {
        guard Self.processID(of: self.state) == nil else { return }
        unlink("\(self.state.data)/postmaster.pid")
        unlink("\(self.state.socketFolder)/.s.PGSQL.\(self.state.port).lock")
    }

    private func writeSettings() throws {
        let settings = ServerSettingsFile(
            port: self.state.port, socketFolder: self.state.socketFolder, profile: self.state.profile)
        try ClusterPlace.write(
            settings.text, to: "\(self.state.data)/\(ServerSettingsFile.name)", mode: 0o600, owner: self.account)
    }

    private func control(_ arguments: [String]) -> Command {
        Command(
            program: self.installation.program("pg_ctl"), arguments: ["--pgdata=\(self.state.data)"] + arguments,
            account: self.account)
    }

    private func lastFatalLine() -> String? {
        let log = (try? String(contentsOfFile: self.state.log, encoding: .utf8)) ?? ""
        let line = log.split(separator: "\n").last { $0.contains("FATAL:") || $0.contains("PANIC:") }
        return line?.split(separator: ":", maxSplits: 3).last?.trimmingSpaces()
    }
}
