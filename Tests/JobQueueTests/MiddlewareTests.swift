import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct MiddlewareTests {
    /// Writes down what it is told.
    private final class Recorder: JobMiddleware {
        let name: String
        let log: Log

        init(_ name: String, _ log: Log) {
            self.name = name
            self.log = log
        }

        func send<R>(_ sending: Sending, _ body: () async throws -> R) async throws -> R {
            self.log.add("\(self.name) sends \(sending.messages.count) \(sending.kind)")
            defer { self.log.add("\(self.name) sent") }
            return try await body()
        }

        func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws {
            self.log.add("\(self.name) runs \(jobs.count) \(kind)")
            try await handler()
            self.log.add("\(self.name) ran")
        }

        func ended(_ jobs: [JobContext], of kind: String, _ ending: JobEnding) {
            self.log.add("\(self.name) \(kind) \(jobs.count) \(ending)")
        }
    }

    private final class Log: Sendable {
        private let box = NIOLockedValueBox<[String]>([])
        var lines: [String] { self.box.withLockedValue { $0 } }
        func add(_ line: String) { self.box.withLockedValue { $0.append(line) } }
    }

    private struct Refusing: JobMiddleware {
        func send<R>(_ sending: Sending, _ body: () async throws -> R) async throws -> R { throw Boom() }
    }

    @Test func `the first one is the outermost, in sending, running and ending`() async throws {
        let world = try await World.make()
        let log = Log()
        let alpha = world.bus("alpha", middleware: [Recorder("outer", log), Recorder("inner", log)])
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    log.add("handler")
                    try await note(job, in: transaction)
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await eventually("both have heard of the end") { log.lines.count == 11 }
        }
        #expect(
            log.lines == [
                "outer sends 1 alpha.work", "inner sends 1 alpha.work", "inner sent", "outer sent",
                "outer runs 1 alpha.work", "inner runs 1 alpha.work", "handler", "inner ran", "outer ran",
                "inner alpha.work 1 completed",
                "outer alpha.work 1 completed",
            ])
    }

    @Test func `whoever refuses a sending gets the sender its error, and nothing is sent`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha", middleware: [Refusing()])
        try await alpha.running(handlers: [.transactional(Happened.self, on: "alpha.ears") { _, _, _ in }]) {
            try await eventually("the ears are subscribed") {
                try await world.count("select count(*) from queue.subscription") == 1
            }
            await #expect(throws: Boom.self) { try await alpha.send(Work(number: 1)) }
            await #expect(throws: Boom.self) { try await alpha.send(contentsOf: [Work(number: 1)]) }
            await #expect(throws: Boom.self) { try await alpha.publish(Happened(number: 1)) }
            await #expect(throws: Boom.self) { try await alpha.bus.call(Double(number: 1)) }
            let id = try await alpha.bus.makeJobID()
            await #expect(throws: Boom.self) {
                try await alpha.database.transaction { try await alpha.bus.send(Work(number: 1), id: id, in: $0) }
            }
        }
        #expect(try await world.count("select count(*) from queue.job") == 0)
    }

    @Test func `an error of middleware fails the job, and its effects with it`() async throws {
        struct Failing: JobMiddleware {
            func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws {
                if jobs.first?.attempt == 1 { throw Boom() }
                try await handler()
            }
        }
        let world = try await World.make()
        let alpha = world.bus("alpha", middleware: [Failing()])
        try await alpha.running(
            queues: [ExactlyOnceTests.quick],
            handlers: [.transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await eventually("the second attempt has succeeded") { try await world.isDone(effects: 1) }
        }
        #expect(try await world.count("select attempt::bigint from public.effect") == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `every way to end is heard of`() async throws {
        let world = try await World.make()
        let log = Log()
        let alpha = world.bus("alpha", middleware: [Recorder("it", log)])
        let quick = QueueDeclaration(Work.queue, attemptsMax: 2, backoff: Backoff(base: .milliseconds(1), jitter: 0))
        let snoozed = NIOLockedValueBox(false)
        try await alpha.running(
            queues: [quick],
            handlers: [
                .transactional(Work.self) { work, _, _ in
                    if work.number == 1 { throw JobFailure.retry(after: .milliseconds(1), "not-yet") }
                    let isFirst = snoozed.withLockedValue { snoozed in
                        defer { snoozed = true }
                        return !snoozed
                    }
                    if isFirst { throw JobFailure.snooze(for: .milliseconds(1)) }
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            _ = try await alpha.send(Work(number: 2))
            let past = Timestamp(microseconds: 0)
            _ = try await alpha.send(Work(number: 3), SendOptions(deadline: past))
            try await eventually("all have ended") {
                log.lines.count { $0.hasPrefix("it alpha.work") } == 5
            }
        }
        let endings = log.lines.filter { $0.hasPrefix("it alpha.work") }.sorted()
        #expect(
            endings == [
                "it alpha.work 1 cancelled", "it alpha.work 1 completed", #"it alpha.work 1 dead(code: "not-yet")"#,
                #"it alpha.work 1 failed(code: "not-yet")"#, "it alpha.work 1 postponed",
            ])
        #expect(try await world.violations() == [])
    }

    @Test func `a batch is one run and one ending`() async throws {
        let world = try await World.make()
        let log = Log()
        let alpha = world.bus("alpha", middleware: [Recorder("it", log)])
        _ = try await alpha.send(contentsOf: (1...3).map { Work(number: $0) })
        try await alpha.running(handlers: [.batch(Work.self) { _, _ in log.add("handler") }]) {
            try await eventually("the end is heard of") { log.lines.count == 6 }
        }
        #expect(
            log.lines == [
                "it sends 3 alpha.work", "it sent", "it runs 3 alpha.work", "handler", "it ran",
                "it alpha.work 3 completed",
            ])
    }
}
