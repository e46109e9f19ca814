public import ArgumentParser
import JobQueue
public import Kernel

/// `club queue …`
struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Look into the job queue, and help it along.",
        subcommands: [
            List.self, Stats.self, Jobs.self, Show.self, Why.self, Cancel.self, Dead.self, Redrive.self, Keys.self,
            Skip.self,
            Pause.self, Resume.self, Periodic.self,
        ])

    /// Runs the body with the administration of a running system's queues.
    static func administer<R>(
        _ folder: SystemFolder, _ body: (QueueAdministration) async throws -> R
    ) async throws -> R {
        try await OperatorSession.run(in: folder) { session in
            do {
                return try await body(QueueAdministration(session.database))
            } catch let error as QueueAdministrationError {
                throw CommandFailure(.usage, error.description)
            }
        }
    }

    /// How a queue stands, for programs.
    struct Line: Codable, Equatable, Sendable {
        let queue: String
        let owner: String
        let paused: Bool
        let ready: Int
        let deferred: Int
        let blocked: Int
        let running: Int
        let dead: Int
        let halted: Int
        let sent: Int
        let completed: Int
        /// Milliseconds; nil when nothing is ready.
        let oldestReady: Int64?
        let workers: Int

        init(_ status: QueueStatus) {
            self.queue = status.name.text
            self.owner = status.owner.text
            self.paused = status.pausedAt != nil
            self.ready = status.ready
            self.deferred = status.deferred
            self.blocked = status.blocked
            self.running = status.running
            self.dead = status.dead
            self.halted = status.halted
            self.sent = status.sent
            self.completed = status.completed
            self.oldestReady = status.oldestReady.map { Int64($0 / .milliseconds(1)) }
            self.workers = status.workers
        }

        var row: [String] {
            let age = self.oldestReady.map { "\($0) ms" } ?? "-"
            let numbers = [self.ready, self.deferred, self.blocked, self.running, self.dead, self.workers].map(
                String.init)
            return [self.queue, self.paused ? "paused" : "running"] + numbers + [age]
        }
    }
}

extension QueueCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the queues and whose they are.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        private struct Answer: Encodable {
            let queue: String
            let owner: String
            let paused: Bool
        }

        func run() async throws {
            let queues = try await QueueCommand.administer(self.system.folder) { try await $0.stats() }
            try self.output.output.result(
                queues.map { Answer(queue: $0.name.text, owner: $0.owner.text, paused: $0.pausedAt != nil) },
                Table(
                    [.text("QUEUE"), .text("OWNER"), .text("PAUSED SINCE")],
                    rows: queues.map { [$0.name.text, $0.owner.text, $0.pausedAt?.description ?? "-"] }))
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how the queues stand: ready, deferred, blocked, running and dead jobs.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Only this queue.")
        var queue: QueueName?

        func run() async throws {
            let lines = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.stats().map { Line($0) }
            }
            let shown = lines.filter { line in self.queue.map { $0.text == line.queue } ?? true }
            if let queue, shown.isEmpty { throw CommandFailure(.usage, "There is no queue \(queue).") }
            try self.output.output.result(
                shown,
                Table(
                    [
                        .text("QUEUE"), .text("STATE"), .number("READY"), .number("DEFERRED"), .number("BLOCKED"),
                        .number("RUNNING"), .number("DEAD"), .number("WORKERS"), .number("OLDEST READY"),
                    ], rows: shown.map(\.row)))
        }
    }

    struct Dead: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List jobs that were given up, the newest first.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The queue.")
        var queue: QueueName
        @Option(help: "At most so many.")
        var limit = 50

        func validate() throws {
            guard 1...10_000 ~= self.limit else { throw ValidationError("--limit is 1 to 10000.") }
        }

        func run() async throws {
            let jobs = try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.dead(in: self.queue, limit: self.limit)
            }
            try self.output.output.result(
                jobs,
                Table(
                    [.number("JOB"), .text("MESSAGE"), .number("ATTEMPTS"), .text("GIVEN UP"), .text("ERROR")],
                    rows: jobs.map { ["\($0.id)", $0.kind, "\($0.attempts)", $0.at.description, $0.code] }))
        }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run dead jobs again, with all their attempts before them.",
            discussion: "Names jobs, or --all of the queue. What is not dead any more is passed over.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: ChangeOptions
        @Argument(help: "The numbers of the jobs.")
        var jobs: [Int64] = []
        @Flag(help: "All dead jobs of the queue.")
        var all = false

        private struct Answer: Encodable {
            let redriven: Int
        }

        func validate() throws {
            guard self.all != !self.jobs.isEmpty else { throw ValidationError("Name jobs, or --all.") }
        }

        func run() async throws {
            let count = try await QueueCommand.administer(self.system.folder) { administration in
                if self.all {
                    return try await administration.redriveAll(in: self.change.queue, reason: self.change.reason)
                }
                return try await administration.redrive(
                    self.jobs.map { JobID($0) }, in: self.change.queue, reason: self.change.reason)
            }
            try self.output.output.result(Answer(redriven: count), text: "\(count) jobs run again.")
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let nothing of a queue begin any more; what runs may end.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: ChangeOptions

        func run() async throws {
            try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.pause(self.change.queue, reason: self.change.reason)
            }
            try self.output.output.result(["paused": true], text: "\(self.change.queue) is paused.")
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a paused queue go on.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var change: ChangeOptions

        func run() async throws {
            try await QueueCommand.administer(self.system.folder) { administration in
                try await administration.resume(self.change.queue, reason: self.change.reason)
            }
            try self.output.output.result(["paused": false], text: "\(self.change.queue) goes on.")
        }
    }
}

/// What every change to a queue says.
struct ChangeOptions: ParsableArguments {
    @Argument(help: "The queue, for example ledger.receipts.")
    var queue: QueueName
    @Option(help: "Why; kept with the change.")
    var reason = "by hand"
}

extension QueueName: ExpressibleByArgument {}
