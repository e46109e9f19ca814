import FoundationEssentials
import Host
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Club

@Suite struct RemoteSystemTests {
    @Test func `without a database in the environment there is no remote system`() throws {
        #expect(try RemoteSystem(environment: [:]) == nil)
        #expect(try RemoteSystem(environment: ["CLUB_OPERATOR_DATABASE": "", "CLUB_OPERATOR_URL": "http://x"]) == nil)
    }

    @Test func `the password comes from its file, without the line's end`() throws {
        let path = "/tmp/club-test-\(UUID().uuidString)"
        try "of the owner\n".write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let environment = ["CLUB_OPERATOR_DATABASE": "host=db", "CLUB_OPERATOR_DATABASE_PASSWORD_FILE": path]
        let remote = try #require(try RemoteSystem(environment: environment))
        #expect(remote.configuration.conninfo == "host=db")
        #expect(remote.configuration.password?.text == "of the owner")
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: CommandFailure.self) { try RemoteSystem(environment: environment) }
    }

    @Test func `services answer under their names, on ports in the order of the services`() throws {
        let remote = try #require(
            try RemoteSystem(
                environment: [
                    "CLUB_OPERATOR_DATABASE": "host=db", "CLUB_OPERATOR_URL": "http://{service}.shop:{port}",
                ]))
        let state = try remote.state()
        #expect(try state.url(of: "auth") == "http://auth.shop:8080")
        #expect(try state.url(of: "partners_exchange") == "http://partners-exchange.shop:8083")
        #expect(state.services.count == ServicePlan.modules.count)
    }

    @Test func `without addresses of services there are none to be asked`() throws {
        let remote = try #require(try RemoteSystem(environment: ["CLUB_OPERATOR_DATABASE": "host=db"]))
        let state = try remote.state()
        #expect(throws: CommandFailure.self) { try state.url(of: "auth") }
    }

    @Test(.database(JobQueueMigrations.set))
    func `the operator's commands reach a database that club up did not start`() async throws {
        let folder = "/tmp/club-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let conninfo = try TestDatabase.current.owner.configuration.conninfo
        let shell = ClubShell(data: folder, settings: ["CLUB_OPERATOR_DATABASE": conninfo])
        let status = try await shell.club("migrate", "--status")
        #expect(status.code == 0, "\(status)")
        let lines = status.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("queue\t") && $0.contains("\tapplied ") }, "\(status)")
        #expect(lines.contains { $0.hasPrefix("ledger\t") && $0.hasSuffix("\tpending") }, "\(status)")
        let queues = try await shell.club("queue", "list")
        #expect(queues.code == 0, "\(queues)")
    }
}

@Suite struct ProgramNameTests {
    @Test(arguments: [
        ("club-auth", "auth"), ("/usr/bin/club-partners-exchange", "partners_exchange"), ("club", nil),
        ("./club-nothing", nil), ("", nil),
    ])
    func `a program is the service that it is called by`(program: String, service: String?) {
        #expect(ServicePlan.module(called: program)?.name.text == service)
    }

    @Test func `club under the name of a service's program is that program`() async throws {
        let link = "/tmp/club-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: link, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: link) }
        try FileManager.default.createSymbolicLink(
            atPath: "\(link)/club-ledger", withDestinationPath: "\(ClubShell.programs)/club")
        let help = try await ClubShell(data: link).run("\(link)/club-ledger", ["--help"])
        #expect(help.output.hasPrefix("club-ledger runs until SIGTERM."), "\(help)")
        #expect(help.output.contains("CLUB_LEDGER_SEAL_KEY"))
    }
}
