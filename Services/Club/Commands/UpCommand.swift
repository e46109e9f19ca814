import ArgumentParser
import EmbeddedPostgres
import FoundationEssentials
import Glibc
import Kernel
import Logging
import ServiceLifecycle
import UnixSignals

/// `club up`
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start all services on a PostgreSQL of their own.",
        discussion: """
            Makes what is missing in the folder (database, schemas, secrets), starts everything, and prints where it is. \
            Ctrl-C stops it all in order and is no failure: the command ends with 0. With --detach it goes on in the \
            background, and the command returns when every service is ready. Where the system runs already, says so.

            Ports: auth N, ledger N+1, promotions N+2, partners-exchange N+3, charity N+4, gift-certificates N+5, support N+6, \
            and with --demo its partners N+7; on 127.0.0.1 only.
            """)

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("The first of the ports, which are next to each other.", valueName: "n"))
    var port = 8080
    @Flag(help: "Go on in the background, logging to the folder's log.")
    var detach = false
    @Flag(help: "Each service is a process of its own, started again when it dies.")
    var separate = false
    @Flag(help: "Make demo data when everything is ready; see `club demo`.")
    var demo = false

    func validate() throws {
        guard 1024...65_000 ~= self.port else { throw ValidationError("--port is 1024 to 65000.") }
    }

    func run() async throws {
        let folder = self.system.folder
        if let state = folder.runningState() {
            Output.note("The system in \(folder.path) runs already.")
            try await self.report(state, folder)
            return
        }
        // From the first --demo on, the partners of the demo belong to the system.
        if self.demo {
            try folder.prepare()
            try DemoPartners.want(in: folder)
        }
        if self.detach {
            let state = try await DetachedStart(folder: folder).run(self.arguments)
            try await self.report(state, folder)
        } else {
            try await self.runHere(folder)
        }
    }

    /// What the background process is called with.
    private var arguments: [String] {
        let flags = self.separate ? ["--separate"] : []
        return ["up", "--data", self.system.folder.path, "--port", "\(self.port)"] + flags
    }

    private func runHere(_ folder: SystemFolder) async throws {
        try folder.prepare()
        guard let lock = try folder.lock() else {
            throw CommandFailure(.unavailable, "Another `club up` is starting or stopping in \(folder.path).")
        }
        defer { close(lock) }
        // What a killed `club up` left behind has the ports.
        _ = try await SystemStop(folder: folder)()
        let plan = ServicePlan(
            port: self.port, isSeparate: self.separate, log: folder.logFile, isDemo: DemoPartners.areWanted(in: folder))
        try LoopbackPorts.requireFree(plan.ports)
        let run = SystemRun(
            folder: folder, plan: plan,
            logger: Logger(label: "club", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { state in
            do {
                try await self.report(state, folder)
                Output.note("Ctrl-C stops everything.")
            } catch {
                Output.note("club: \(error)")
            }
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: run, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: run.logger))
        try await group.run()
    }

    /// Makes the demo data where they are wanted, and says where everything is.
    private func report(_ state: SystemState, _ folder: SystemFolder) async throws {
        let demo = self.demo ? try await Demo.make(in: folder) : nil
        try self.output.output.result(
            UpAnswer(folder: folder.path, services: state.services, demo: demo),
            text: """
                \(state.services.map { "\($0.name): \($0.url)" }.joined(separator: "\n"))
                \(demo.map(\.text) ?? "data: \(folder.path)")
                """)
    }
}

/// What runs where, for programs.
struct UpAnswer: Encodable {
    let folder: String
    let services: [SystemState.RunningService]
    let demo: Demo.Summary?
}
