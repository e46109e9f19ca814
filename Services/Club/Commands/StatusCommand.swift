import ArgumentParser
import AsyncHTTPClient
import EmbeddedPostgres
import Kernel

/// `club status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what runs, where, and whether it is ready.",
        discussion: "Exits with 0 when everything is ready, with 69 when nothing runs, with 1 when a part is not ready."
    )

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Encodable {
        struct Service: Encodable {
            let name: String
            let url: String
            let pid: Int32?
            let ready: Bool
        }

        struct Database: Encodable {
            let ready: Bool
            let version: Int?
            let socket: String?
            let port: Int?
            let log: String?
        }

        let folder: String
        let startedAt: Timestamp
        let supervisor: Int32
        let services: [Service]
        /// The partners of the demo.
        let simulator: String?
        let database: Database
    }

    func run() async throws {
        let folder = self.system.folder
        let state = try folder.requireRunning()
        let postgres = try await EmbeddedPostgres.running(in: folder.path)
        let services = try await HTTPClient.withClient { http in
            var services: [Answer.Service] = []
            for service in state.services {
                let isReady = await Readiness(http: http).isReady(service)
                services.append(
                    .init(name: service.name, url: service.url, pid: service.process?.pid, ready: isReady))
            }
            return services
        }
        let answer = Answer(
            folder: folder.path, startedAt: state.startedAt, supervisor: state.supervisor.pid, services: services,
            simulator: state.simulator,
            database: .init(
                ready: postgres != nil, version: postgres?.installation.major, socket: postgres?.socketFolder,
                port: postgres?.port, log: postgres?.logFile))
        try self.output.output.result(answer, Self.table(answer))
        guard postgres != nil, services.allSatisfy(\.ready) else {
            throw CommandFailure(.checkFailed, "Not everything is ready.")
        }
    }

    private static func table(_ answer: Answer) -> Table {
        var rows = answer.services.map { service in
            [service.name, service.ready ? "ready" : "not ready", service.url, service.pid.map(String.init) ?? "-"]
        }
        if let simulator = answer.simulator { rows.append(["the demo's partners", "-", simulator, "-"]) }
        let database = answer.database
        rows.append([
            "postgresql \(database.version.map(String.init) ?? "")", database.ready ? "ready" : "not ready",
            database.socket.map { "\($0), port \(database.port ?? 0)" } ?? "-", "-",
        ])
        return Table([.text("PART"), .text("STATE"), .text("WHERE"), .number("PID")], rows: rows)
    }
}
