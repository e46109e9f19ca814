import ArgumentParser

/// `club bench …`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the parts of the system against raw limits of PostgreSQL.",
        discussion: """
            The measurements are a program of their own, which is no part of what production runs: deploy/bench builds it \
            beside this one. It starts a private PostgreSQL and leaves running systems alone, but it wants the machine \
            for itself.
            """,
        subcommands: [Queue.self])
}

extension BenchCommand {
    /// What every measurement takes, as it is handed on.
    struct Options: ParsableArguments {
        @Flag(help: "One JSON object a line: target, value, raw limit, ratio, goal, conditions.")
        var json = false

        @Option(help: ArgumentHelp("Only these targets, separated by commas: A,C.", valueName: "letters"))
        var only: String?

        @Option(help: "How often each measurement is repeated.")
        var rounds: Int?

        @Option(help: "Seconds of each measurement.")
        var seconds: Int?

        @Flag(help: "Print the targets and stop.")
        var list = false

        func validate() throws {
            for number in [self.rounds, self.seconds].compactMap(\.self) where number < 1 {
                throw ValidationError("Rounds and seconds begin at 1.")
            }
        }

        /// The same options for the program that measures.
        var arguments: [String] {
            (self.json ? ["--json"] : []) + (self.list ? ["--list"] : [])
                + (self.only.map { ["--only", $0] } ?? []) + (self.rounds.map { ["--rounds", "\($0)"] } ?? [])
                + (self.seconds.map { ["--seconds", "\($0)"] } ?? [])
        }
    }

    struct Queue: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure the targets A to M of the job queue, each beside its raw limit.")

        @OptionGroup var options: Options

        func run() throws {
            try BenchmarkProgram.besideThisOne.replaceThisOne(arguments: ["queue"] + self.options.arguments)
        }
    }
}
