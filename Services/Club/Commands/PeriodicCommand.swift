public import ArgumentParser
public import JobQueue
import Kernel

extension QueueCommand {
    /// `club queue periodic …`
    struct Periodic: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at the jobs that come again and again, and steer them.",
            subcommands: [List.self, Next.self, Pause.self, Resume.self, RunNow.self], defaultSubcommand: List.self)
    }
}

extension QueueCommand.Periodic {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the periodic jobs: when each is due, and what became of its last run.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let jobs = try await QueueCommand.administer(self.system.folder) { try await $0.periodicJobs() }
            try self.output.output.result(
                jobs,
                Table(
                    [
                        .text("JOB"), .text("SCHEDULE"), .text("TIME ZONE"), .text("CATCH-UP"), .text("STATE"),
                        .text("NEXT"), .text("LAST"), .text("OUTCOME"),
                    ], rows: jobs.map { Self.row($0) }))
        }

        static func row(_ job: PeriodicStatus) -> [String] {
            let state = job.pausedAt != nil ? "paused" : job.isDeclared ? "active" : "not declared"
            let next = state == "active" ? job.nextAt?.description : nil
            return [
                job.name.text, job.schedule, job.timeZone,
                job.catchUp == "all" ? "all, at most \(job.catchUpMax)" : job.catchUp, state, next ?? "-",
                job.lastAt?.description ?? "-", job.lastOutcome ?? "-",
            ]
        }
    }

    struct Next: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show when a periodic job is due, to see what its schedule means.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The periodic job.")
        var job: PeriodicName
        @Option(help: "So many moments.")
        var count = 10

        func validate() throws {
            guard 1...1000 ~= self.count else { throw ValidationError("--count is 1 to 1000.") }
        }

        func run() async throws {
            let moments = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.nextMoments(of: self.job, count: self.count)
            }
            try self.output.output.result(moments, Table([.text("DUE")], rows: moments.map { [$0.description] }))
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Send nothing of a periodic job until it is resumed.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: PeriodicChangeOptions

        func run() async throws {
            try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.pausePeriodic(self.change.job, reason: self.change.reason)
            }
            try self.output.output.result(["paused": true], text: "\(self.change.job) is paused.")
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a paused periodic job go on with its next moment; the missed ones are not made up for.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: PeriodicChangeOptions

        func run() async throws {
            try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.resumePeriodic(self.change.job, reason: self.change.reason)
            }
            try self.output.output.result(["paused": false], text: "\(self.change.job) goes on.")
        }
    }

    struct RunNow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one job now; the schedule does not move. Works while paused, too.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: PeriodicChangeOptions

        private struct Answer: Encodable {
            let job: JobID
        }

        func run() async throws {
            let job = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.runPeriodicNow(self.change.job, reason: self.change.reason)
            }
            try self.output.output.result(Answer(job: job), text: "Job \(job) was sent.")
        }
    }
}

/// What every change to a periodic job says.
struct PeriodicChangeOptions: ParsableArguments {
    @Argument(help: "The periodic job, for example ledger.nightly-report.")
    var job: PeriodicName
    @Option(help: "Why; kept with the change.")
    var reason = "by hand"
}

extension PeriodicName: ExpressibleByArgument {}
