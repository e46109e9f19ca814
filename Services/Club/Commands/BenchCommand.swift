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
        subcommands: [Queue.self, Ledger.self])
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
    struct Ledger: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure the ledger beside pgbench's TPC-B on the same cluster.",
            discussion: """
                With the sizes of the target it takes an hour, a quarter of it to load 20 million postings. A look: \
                --members 1000 --postings 0 100000 --clients 8 --expiring 20000 --rounds 1.
                """)

        @OptionGroup var options: Options

        @Option(parsing: .upToNextOption, help: "How many members take part, one size after another.")
        var members: [Int] = []

        @Option(parsing: .upToNextOption, help: "How many postings are in the tables, one size after another.")
        var postings: [Int] = []

        @Option(parsing: .upToNextOption, help: "How many clients, one number after another.")
        var clients: [Int] = []

        @Option(help: "How many lots expire at once.")
        var expiring: Int?

        func validate() throws {
            let counts = self.members + self.clients + [self.expiring].compactMap(\.self)
            guard counts.allSatisfy({ $0 >= 1 }), self.postings.allSatisfy({ $0 >= 0 }) else {
                throw ValidationError("Sizes begin at 1, postings at 0.")
            }
        }

        /// The same for the program that measures.
        var arguments: [String] {
            let lists = [("--members", self.members), ("--postings", self.postings), ("--clients", self.clients)]
            return self.options.arguments
                + lists.flatMap { name, sizes in sizes.isEmpty ? [] : [name] + sizes.map(String.init) }
                + (self.expiring.map { ["--expiring", "\($0)"] } ?? [])
        }

        func run() throws {
            try BenchmarkProgram.besideThisOne.replaceThisOne(arguments: ["ledger"] + self.arguments)
        }
    }
}
