import ArgumentParser
import Kernel

/// Measures what the project promises, each figure beside a raw limit of the same server in the same minutes.
@main struct Benchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmarks",
        abstract: "Measures the client, the bus and the services against raw limits of the same PostgreSQL.",
        discussion: """
            Starts a private PostgreSQL with durable settings, runs each case in turn with its raw limit (A B A B …), and \
            prints medians. Nothing else should run on the machine. A missed goal is printed, not hidden; it does not \
            change the exit code.
            """,
        subcommands: [Measure.self, Victim.self], defaultSubcommand: Measure.self)
}

struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the cases and print the figures (the default).")

    @Flag(help: "One JSON object a line on stdout instead of a table.")
    var json = false

    @Option(help: "How often each measurement is repeated.")
    var rounds = 3

    @Option(help: "Seconds of each measurement.")
    var seconds = 4

    @Option(help: ArgumentHelp("Only the cases whose name begins with this.", valueName: "name"))
    var only = ""

    @Flag(help: "Print the cases and stop.")
    var list = false

    func run() async throws {
        let report = Report(json: self.json)
        guard !self.list else { return report.cases(Case.all.map(\.name)) }
        let chosen = Case.all.filter { $0.name.hasPrefix(self.only) }
        guard !chosen.isEmpty else {
            throw ValidationError("No case is called \(self.only)…; --list prints them.")
        }
        try await World.with(rounds: self.rounds, seconds: self.seconds, report: report) { world in
            report.heading()
            for one in chosen {
                report.progress("measuring \(one.name) …")
                try await one.run(world)
            }
        }
    }
}

/// A named measurement.
struct Case: Sendable {
    let name: String
    let run: @Sendable (World) async throws -> Void

    static let all = [
        Case(name: "client-select") { try await ClientCases.select($0) },
        Case(name: "client-pipeline") { try await ClientCases.pipeline($0) },
        Case(name: "enqueue-single") { try await EnqueueCases.single($0) },
        Case(name: "enqueue-listeners") { try await EnqueueCases.listeners($0) },
        Case(name: "run-latency") { try await RunCases.latency($0) },
        Case(name: "run-burn-down") { try await RunCases.burnDown($0) },
        Case(name: "run-cost") { try await RunCases.cost($0) },
        Case(name: "receipts") { try await ReceiptsCase.run($0) },
        Case(name: "rescue") { try await RescueCase.run($0) },
    ]
}
