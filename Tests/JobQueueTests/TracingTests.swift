import InMemoryLogging
import JobQueue
import Kernel
import Logging
import Postgres
import TestSupport
import Testing
import Tracing

/// What is sent and done, as a collector of spans sees it.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct TracingTests {
    private static let middleware: [any JobMiddleware] = [TracingMiddleware()]

    @Test func `a trace goes from the sender through the job to what the job sends`() async throws {
        let tracer = TestTracer()
        try await withTracer(tracer) {
            let world = try await World.make()
            let (alpha, beta) = (
                world.bus("alpha", middleware: Self.middleware), world.bus("beta", middleware: Self.middleware)
            )
            try await alpha.running(
                handlers: [
                    .transactional(Work.self) { work, job, transaction in
                        if work.number == 1 { _ = try await alpha.bus.send(Work(number: 2), in: transaction) }
                        try await note(job, in: transaction)
                    }
                ]
            ) {
                let id = try await beta.send(Work(number: 1))
                try await eventually("both are done") { try await world.isDone(effects: 2) }
                try await eventually("all spans have ended") { tracer.spans.count == 4 }
                let sent = try #require(tracer.spans.first { $0.kind == .producer })
                #expect(sent.name == "send alpha.work")
                #expect(sent.parent == nil)
                #expect(sent.attribute("messaging.operation.type") == "send")
                #expect(sent.attribute("messaging.system") == "club_queue")
                #expect(sent.attribute("messaging.destination.name") == "alpha.work")
                let done = try #require(tracer.spans.first { $0.parent == sent.trace })
                #expect(done.kind == .consumer)
                #expect(done.name == "process alpha.work")
                #expect(done.attribute("messaging.message.id") == "\(id)")
                #expect(done.attribute("messaging.operation.type") == "process")
                #expect(done.attribute("queue.attempt") == "1")
                #expect(done.status == nil)
                let next = try #require(tracer.spans.first { $0.parent == done.trace })
                #expect(next.kind == .producer)
                #expect(tracer.spans.contains { $0.kind == .consumer && $0.parent == next.trace })
                #expect(Set(tracer.spans.map(\.trace.traceID)).count == 1)
            }
            let headers = try await world.owner.query("select headers ->> 'traceparent' from queue.job order by id")
                .map { try $0.decode(String.self) }
            #expect(headers == tracer.spans.filter { $0.kind == .producer }.map(\.trace.traceparent))
        }
    }

    @Test func `a batch has a span of its own, linked to each message that was sent by itself`() async throws {
        let tracer = TestTracer()
        try await withTracer(tracer) {
            let world = try await World.make()
            let alpha = world.bus("alpha", middleware: Self.middleware)
            _ = try await alpha.send(contentsOf: [Work(number: 1), Work(number: 2)])
            _ = try await alpha.send(Work(number: 3))
            try await alpha.running(handlers: [.batch(Work.self) { _, _ in }]) {
                try await eventually("the batch has ended") { tracer.span("process alpha.work", .consumer) != nil }
            }
            let sent = tracer.spans.filter { $0.kind == .producer }
            #expect(sent.map { $0.attribute("messaging.batch.message_count") } == ["2", nil])
            let batch = try #require(tracer.span("process alpha.work", .consumer))
            #expect(batch.parent == nil)
            #expect(batch.links == sent.map(\.trace))
            #expect(batch.attribute("messaging.batch.message_count") == "3")
            #expect(batch.attribute("messaging.message.id") == nil)
        }
    }

    @Test func `a call's span lasts until its answer; its failure and that of the job are told by their codes`()
        async throws
    {
        let tracer = TestTracer()
        try await withTracer(tracer) {
            let world = try await World.make()
            let (alpha, beta) = (
                world.bus("alpha", middleware: Self.middleware), world.bus("beta", middleware: Self.middleware)
            )
            try await alpha.running(
                handlers: [
                    .reply(Double.self) { call, _, _ in
                        if call.number == 0 { throw JobFailure.permanent("number-is-zero") }
                        if call.number == 1 { throw Secretive(description: "4276 1234") }
                        return Double.Reply(number: call.number * 2)
                    }
                ]
            ) {
                try await beta.running {
                    _ = try await beta.bus.call(Double(number: 4), deadline: .seconds(30))
                    let answered = try #require(tracer.span("call alpha.calls", .client))
                    let done = try #require(tracer.span("process alpha.calls", .consumer))
                    #expect(done.parent == answered.trace)
                    #expect(answered.status == nil)
                    await #expect(throws: CallError.failed(code: "number-is-zero")) {
                        try await beta.bus.call(Double(number: 0), deadline: .seconds(30))
                    }
                }
            }
            for kind in [SpanKind.client, .consumer] {
                let failed = tracer.spans.filter { $0.kind == kind && $0.status?.code == .error }
                #expect(failed.map { $0.attribute("error.type") } == ["number-is-zero"])
            }
            // An error may quote what it is about: nothing of it is recorded.
            #expect(tracer.spans.allSatisfy { $0.errors.isEmpty })
        }
    }

    @Test func `put off is not failed, and an error is not quoted`() async throws {
        let tracer = TestTracer()
        try await withTracer(tracer) {
            let world = try await World.make()
            let alpha = world.bus("alpha", middleware: Self.middleware)
            try await alpha.running(
                handlers: [
                    .transactional(Work.self) { work, _, _ in
                        if work.number == 1 { throw JobFailure.snooze(for: .seconds(60)) }
                        throw Secretive(description: "4276 1234")
                    }
                ]
            ) {
                for number in 1...2 {
                    _ = try await alpha.send(Work(number: number))
                    try await eventually("it has ended") { tracer.spans.count { $0.kind == .consumer } == number }
                }
            }
            let done = tracer.spans.filter { $0.kind == .consumer }
            #expect(done.map { $0.status?.code } == [nil, .error])
            #expect(done.map { $0.attribute("error.type") } == [nil, "handler-failed"])
            #expect(!tracer.spans.contains { "\($0)".contains("4276") })
        }
    }

    @Test func `without a tracer the trace goes on as it came`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha", middleware: Self.middleware)
        let trace = TraceContext.root(random: .system)
        try await TraceContext.$current.withValue(trace) { _ = try await alpha.send(Work(number: 1)) }
        let header = try await world.owner.one("select headers ->> 'traceparent' from queue.job").decode(String.self)
        #expect(header == trace.traceparent)
    }

    // MARK: The log

    @Test func `every end of a job is one line, of the dead at error, with the trace and without the message`()
        async throws
    {
        let world = try await World.make()
        let trace = TraceContext.root(random: .system)
        // As the log of a service: the trace of a line is that of its task.
        var memory = InMemoryLogHandler()
        memory.metadataProvider = Logger.MetadataProvider { ["trace": "\(TraceContext.current?.traceIDText ?? "-")"] }
        let handler = memory
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = .debug
        let alpha = world.bus("alpha", middleware: [LoggingMiddleware(logger)])
        try await TraceContext.$current.withValue(trace) {
            for number in [4_276, 1] { _ = try await alpha.send(Work(number: number)) }
        }
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { work, _, _ in
                    if work.number == 1 { throw JobFailure.permanent("number-is-one") }
                }
            ]
        ) {
            try await eventually("both have ended") { handler.entries.count == 2 }
        }
        let lines = handler.entries.sorted { $0.level < $1.level }
        #expect(lines.map(\.level) == [.debug, .error])
        #expect(lines.map { "\($0.metadata["queue.outcome"] ?? "")" } == ["completed", "dead"])
        #expect(lines.map { "\($0.metadata["error"] ?? "")" } == ["", "number-is-one"])
        for line in lines {
            #expect(Set(line.metadata.keys).isSuperset(of: ["queue.job", "queue.name", "queue.kind", "queue.attempt"]))
            #expect(line.metadata["trace"] == "\(trace.traceIDText)")
            #expect(!"\(line.metadata)".contains("4276"))
        }
    }
}

private struct Secretive: Error, CustomStringConvertible {
    let description: String
}
