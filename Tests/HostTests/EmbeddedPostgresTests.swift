import FoundationEssentials
import Glibc
import Postgres
import TestSupport
import Testing

@testable import EmbeddedPostgres

@Suite(.capturedLogs, .timeLimit(.minutes(20))) struct EmbeddedPostgresTests {
    /// A cluster in a folder of its own, deleted afterwards.
    private func withServer(
        in folder: String = "/tmp/club-test-\(UUID().uuidString.prefix(8))",
        authentication: ClusterAuthentication = .trust,
        _ body: (EmbeddedPostgres) async throws -> Void
    ) async throws {
        let server = try await self.start(in: folder, authentication)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        try await server.remove()
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func start(
        in folder: String, _ authentication: ClusterAuthentication = .trust
    ) async throws -> EmbeddedPostgres {
        try await EmbeddedPostgres.start(
            in: folder, profile: .volatile, authentication: authentication, logger: CapturedLogs.logger)
    }

    /// Runs statements with psql, and returns what it prints.
    private func query(_ server: EmbeddedPostgres, _ text: String, conninfo: String? = nil) async throws -> String {
        let psql = Command(
            program: server.installation.program("psql"),
            arguments: ["--no-psqlrc", "--no-password", "-At", "-c", text, conninfo ?? server.conninfo])
        return try await psql.runOrThrow(purpose: "psql").trimmingSpaces()
    }

    @Test func `a second start in the same folder finds the running server`() async throws {
        try await self.withServer { server async throws in
            let again = try await self.start(in: server.folder)
            #expect(again.state == server.state)
            #expect(try await self.query(again, "select count(*) from pg_stat_activity where pid = 0") == "0")
        }
    }

    @Test func `a server that was killed is recovered with what it had committed`() async throws {
        try await self.withServer { server async throws in
            _ = try await self.query(server, "create table kept as select 42 as answer")
            let process = try #require(ServerProcess.processID(of: server.state))
            kill(process, SIGKILL)
            try await eventually("the process is gone") { ServerProcess.processID(of: server.state) == nil }
            let again = try await self.start(in: server.folder)
            #expect(try await self.query(again, "select answer from kept") == "42")
        }
    }

    @Test func `a process number left behind that is somebody else's now does not prevent the start`() async throws {
        try await self.withServer { server async throws in
            try await server.stop()
            // As after a crash and a reboot: the number is that of a living process, which is ours.
            let number = ProcessInfo.processInfo.processIdentifier
            let left = """
                \(number)
                \(server.dataFolder)
                0
                \(server.port)
                \(server.socketFolder)
                127.0.0.1
                0 0
                ready

                """
            try left.write(toFile: "\(server.dataFolder)/postmaster.pid", atomically: false, encoding: .utf8)
            try "\(number)\n".write(
                toFile: "\(server.socketFolder)/.s.PGSQL.\(server.port).lock", atomically: false, encoding: .utf8)
            #expect(try await EmbeddedPostgres.running(in: server.folder) == nil)
            let again = try await self.start(in: server.folder)
            #expect(again.isRunning)
        }
    }

    @Test func `a cluster with passwords lets nobody in without one, and keeps it from other users`() async throws {
        try await self.withServer(authentication: .password) { server async throws in
            #expect(try await self.query(server, "select current_user") == EmbeddedPostgres.owner)
            await #expect(throws: EmbeddedPostgresError.self) {
                _ = try await self.query(server, "select 1", conninfo: server.address + " user=club_owner")
            }
            #expect(try await self.query(server, "show password_encryption") == "scram-sha-256")
            var status = stat()
            #expect(stat("\(server.folder)/postgres/owner.password", &status) == 0)
            #expect(status.st_mode & 0o077 == 0)
        }
    }

    @Test func `a cluster is checked by checksums, in UTF-8, and open to this machine only`() async throws {
        try await self.withServer { server async throws in
            #expect(try await self.query(server, "show data_checksums") == "on")
            #expect(try await self.query(server, "show server_encoding") == "UTF8")
            #expect(try await self.query(server, "select upper('привет')") == "ПРИВЕТ")
            #expect(try await self.query(server, "show listen_addresses") == "127.0.0.1")
        }
    }

    @Test func `commits are flushed unless the profile says otherwise`() {
        func text(_ profile: ClusterProfile) -> String {
            ServerSettingsFile(port: 1, socketFolder: "/tmp", profile: profile).text
        }
        #expect(!text(.durable).contains("fsync"))
        #expect(!text(.durable).contains("synchronous_commit"))
        #expect(text(.volatile).contains("fsync = off"))
    }

    @Test func `a path too long for a socket gets a short one elsewhere`() async throws {
        let folder = "/tmp/club-test-\(UUID().uuidString.prefix(8))-\(String(repeating: "x", count: 80))"
        try await self.withServer(in: folder) { server async throws in
            #expect(!server.socketFolder.hasPrefix(folder))
            #expect("\(server.socketFolder)/.s.PGSQL.\(server.port)".utf8.count <= ClusterPlace.socketPathLimit)
            #expect(try await self.query(server, "select 1") == "1")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root's server runs as another user"))
    func `a folder that the server's user cannot reach keeps its data elsewhere, and says so`() async throws {
        let closed = "/tmp/club-test-\(UUID().uuidString.prefix(8))"
        mkdir(closed, 0o700)
        try await self.withServer(in: "\(closed)/below") { server async throws in
            #expect(!server.dataFolder.hasPrefix(closed))
            #expect(CapturedLogs.text.contains("the data are kept elsewhere"))
            #expect(try await self.query(server, "select 1") == "1")
            // The folder above is nobody's business but its owner's.
            var status = stat()
            #expect(stat(closed, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            let again = try await self.start(in: "\(closed)/below")
            #expect(again.dataFolder == server.dataFolder)
        }
        #expect(rmdir(closed) == 0)
    }

    @Test func `a program folder that has no PostgreSQL is named`() async throws {
        let error = await #expect(throws: EmbeddedPostgresError.self) {
            _ = try await PostgresInstallation.find(environment: ["CLUB_POSTGRES_BIN": "/nowhere"])
        }
        #expect(error?.code == .notInstalled)
        #expect(error?.description.hasPrefix("/nowhere has no PostgreSQL server") == true)
    }

    @Test func `data of another major version are refused with a sentence`() async throws {
        try await self.withServer { server async throws in
            try await server.stop()
            let other = PostgresInstallation(binaries: "/opt/other", major: server.installation.major + 1, version: "x")
            let error = await #expect(throws: EmbeddedPostgresError.self) {
                _ = try await EmbeddedPostgres.start(
                    in: server.folder, installation: other, logger: CapturedLogs.logger)
            }
            #expect(error?.code == .wrongVersion)
        }
    }

    @Test func `a cluster ends with the process that it belongs to`() async throws {
        let folder = "/tmp/club-test-\(UUID().uuidString.prefix(8))"
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let server = try await EmbeddedPostgres.start(
                in: folder, profile: .volatile, authentication: .trust, logger: CapturedLogs.logger)
            try await server.removeWhenThisProcessEnds(with: [folder])
            kill(getpid(), SIGKILL)
        }
        try await eventually("the cluster is gone") { !FileManager.default.fileExists(atPath: folder) }
    }
}
