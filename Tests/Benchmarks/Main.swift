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
            change the exit code. CLUB_POSTGRES_BIN chooses the server.
            """,
        subcommands: [Measure.self, QueueTargets.self, LedgerTargets.self, Victim.self, Adapter.self],
        defaultSubcommand: Measure.self)
}

/// How often and how long.
struct MeasureOptions: ParsableArguments {
    @Flag(help: "One JSON object a line on stdout instead of a table.")
    var json = false

    @Option(help: "How often each measurement is repeated.")
    var rounds = 3

    @Option(help: "Seconds of each measurement.")
    var seconds = 3

    @Option(
        help: ArgumentHelp("Only the cases of these names, separated by commas: A,client-select.", valueName: "names"))
    var only = ""

    @Option(
        help: ArgumentHelp(
            "Use the server of this folder, made when missing, and keep it and what was filled for the next run.",
            valueName: "folder"))
    var keep: String?

    @Flag(help: "Print the cases and stop.")
    var list = false

    func run(_ cases: [Case]) async throws {
        let report = Report(json: self.json)
        guard !self.list else { return report.cases(cases.map { "\($0.name)\t\($0.abstract)" }) }
        let names = self.only.split(separator: ",").map { $0.lowercased() }
        for name in names where !cases.contains(where: { $0.name.lowercased() == name }) {
            throw ValidationError("No case is called \(name); --list prints them.")
        }
        let chosen = names.isEmpty ? cases : cases.filter { names.contains($0.name.lowercased()) }
        try await World.with(rounds: self.rounds, seconds: self.seconds, report: report, keep: self.keep) { world in
            report.heading()
            for one in chosen {
                report.progress("measuring \(one.name): \(one.abstract) …")
                try await one.run(world)
            }
        }
    }
}

struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Run all cases and print the figures (the default).")

    @OptionGroup var options: MeasureOptions

    func run() async throws { try await self.options.run(Case.client + Case.queue + Case.services) }
}

struct QueueTargets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Measure the targets A to M of the job queue.")

    @OptionGroup var options: MeasureOptions

    func run() async throws { try await self.options.run(Case.queue) }
}

/// A named measurement.
struct Case: Sendable {
    let name: String
    let abstract: String
    let run: @Sendable (World) async throws -> Void

    init(_ name: String, _ abstract: String, _ run: @escaping @Sendable (World) async throws -> Void) {
        (self.name, self.abstract, self.run) = (name, abstract, run)
    }

    static let client = [
        Case("client-select", "primary-key reads", ClientCases.select),
        Case("client-pipeline", "inserts in a pipeline", ClientCases.pipeline),
    ]

    /// The design's table of targets.
    static let queue = [
        Case("A", "enqueue, one job a commit", EnqueueCases.single),
        Case("B", "bulk enqueue", BulkCase.run),
        Case("C", "burn-down in batches of 500", RunCases.burnDown),
        Case("D", "latency at 200 jobs/s and at 70 % of the most", LatencyCase.run),
        Case("E", "exactly-once handlers", ExactlyOnceCase.run),
        Case("F", "enqueue with 50 idle listeners", EnqueueCases.listeners),
        Case("G", "keyed jobs with 100,000 blocked behind two keys", KeyedCase.run),
        Case("H", "burn-down with a pinned snapshot", SnapshotCase.run),
        Case("I", "kill -9 to running elsewhere", RescueCase.run),
        Case("J", "round trips of calls", CallCases.run),
        Case("K", "what one job costs the server", RunCases.cost),
        Case("L", "chaos", LongCases.chaos),
        Case("M", "14 idle processes with 64 queues", IdleCase.run),
    ]

    static let services = [
        Case("receipts", "receipts from the till's request to the books", ReceiptsCase.run)
    ]
}
