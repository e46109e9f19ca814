import ArgumentParser
import JobQueue
import Kernel

/// `club queue jobs | show | why | cancel | keys | skip`: about single jobs and keys.
extension QueueCommand {
    struct Jobs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List jobs of a queue that have not ended, the first ones of each place.",
            discussion: "club queue why says what one of them waits for. Keys are not shown: they may be personal.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The queue.")
        var queue: QueueName
        @Option(help: "At most so many of each place.")
        var limit = 20

        func validate() throws {
            guard 1...10_000 ~= self.limit else { throw ValidationError("--limit is 1 to 10000.") }
        }

        private struct Line: Encodable {
            let job: JobID
            let kind, place: String
            let attempts: Int?
            let at: Timestamp?
        }

        func run() async throws {
            let jobs = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.jobs(in: self.queue, limit: self.limit)
            }
            try self.output.output.result(
                jobs.map { Line(job: $0.id, kind: $0.kind, place: $0.place, attempts: $0.attempts, at: $0.at) },
                Table(
                    [.number("JOB"), .text("MESSAGE"), .text("PLACE"), .number("ATTEMPTS"), .text("DUE OR UNTIL")],
                    rows: jobs.map { job in
                        [
                            "\(job.id)", job.kind, job.place, job.attempts.map(String.init) ?? "-",
                            job.at?.description ?? "-",
                        ]
                    }))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show where a job has been and where it is.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The number of the job.")
        var job: Int64

        func run() async throws {
            let trail = try await QueueCommand.administer(self.system.folder) {
                try await $0.trail(of: JobID(self.job))
            }
            guard let first = trail.first else { throw CommandFailure(.usage, "There is no job \(self.job).") }
            try self.output.output.result(
                trail,
                Table(
                    [
                        .text("\(first.queue) \(first.kind)"), .number("ATTEMPT"), .text("SINCE, DUE OR UNTIL"),
                        .text("ERROR"),
                    ],
                    rows: trail.map { [$0.place, "\($0.attempt)", $0.at?.description ?? "-", $0.code ?? "-"] }))
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say why a job is not running.",
            discussion: "Every reason that holds, the nearest first. Nothing to say means that it runs or has ended.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The number of the job.")
        var job: Int64

        func run() async throws {
            let (trail, reasons) = try await QueueCommand.administer(self.system.folder) { administration in
                (
                    try await administration.trail(of: JobID(self.job)),
                    try await administration.reasons(whyNot: JobID(self.job))
                )
            }
            guard let last = trail.last else { throw CommandFailure(.usage, "There is no job \(self.job).") }
            let text =
                reasons.isEmpty
                ? "Nothing keeps it from running: it is \(last.place)."
                : reasons.map(\.sentence).joined(separator: "\n")
            try self.output.output.result(reasons, text: text)
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a job that has not ended.",
            discussion:
                "One that runs is told to stop, and is taken away from its worker when it does not within seconds.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The number of the job.")
        var job: Int64
        @Option(help: "Why; kept with the change.")
        var reason = "by hand"

        private struct Answer: Encodable {
            let job: Int64
            let answer: Cancellation
        }

        func run() async throws {
            let answer = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.cancel(JobID(self.job), reason: self.reason)
            }
            let text =
                switch answer {
                case .cancelled: "Job \(self.job) will not run."
                case .asked: "Job \(self.job) runs, and was told to stop."
                case .outOfReach: "Job \(self.job) has ended, is part of a batch at this moment, or does not exist."
                }
            try self.output.output.result(Answer(job: self.job, answer: answer), text: text)
            if answer == .outOfReach { throw ExitCode(1) }
        }
    }

    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys that stopped at a dead job, the longest first.",
            discussion: "club queue skip lets the next job of the key run; club queue redrive tries the dead one again."
        )

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The queue.")
        var queue: QueueName
        @Option(help: "At most so many.")
        var limit = 50

        func run() async throws {
            let keys = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.haltedKeys(in: self.queue, limit: self.limit)
            }
            try self.output.output.result(
                keys,
                Table(
                    [.text("KEY"), .number("DEAD JOB"), .text("SINCE"), .number("WAITING")],
                    rows: keys.map { [$0.key, "\($0.job)", $0.since.description, "\($0.waiting)"] }))
        }
    }

    struct Skip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a dead job dead, and let the next one of its key run.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: ChangeOptions
        @Argument(help: "The number of the dead job.")
        var job: Int64

        func run() async throws {
            let isDone = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.skip(JobID(self.job), in: self.change.queue, reason: self.change.reason)
            }
            guard isDone else {
                throw CommandFailure(.usage, "Job \(self.job) holds up no key of \(self.change.queue).")
            }
            try self.output.output.result(["skipped": true], text: "The next job of the key runs.")
        }
    }
}
