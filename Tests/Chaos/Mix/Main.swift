import ArgumentParser

/// The long mix: senders, three worker processes, and somebody who harms them. Ends with what was lost, doubled or
/// misordered: nothing, or the exit code is 1.
@main struct QueueChaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue-chaos",
        abstract: "Sends jobs of every kind while workers, connections, clocks, the disk and the server are harmed.",
        discussion: """
            Starts a private PostgreSQL with durable settings. Harm is dealt every few seconds, chosen by the seed. In the \
            end everything is left in peace until no job is left, and what was sent is compared with what was done.
            """,
        subcommands: [Mix.self, WorkerProcess.self], defaultSubcommand: Mix.self)
}

struct Mix: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the mix and print the counts (the default).")

    @Option(help: "How long harm is dealt.")
    var minutes = 10.0

    @Option(help: "Chooses the harm and its times.")
    var seed: UInt64 = 1

    @Flag(help: "The counts as one JSON object.")
    var json = false

    func validate() throws {
        guard self.minutes > 0, self.minutes <= 600 else {
            throw ValidationError("--minutes is above 0 and at most 600.")
        }
    }

    func run() async throws {
        SmallDisk.moveIntoNamespace()
        let verdict = try await Stage.with(seed: self.seed, minutes: self.minutes) { stage in
            try await stage.play(for: .seconds(self.minutes * 60))
        }
        try verdict.show(json: self.json)
        guard verdict.isClean else { throw ExitCode(1) }
    }
}
