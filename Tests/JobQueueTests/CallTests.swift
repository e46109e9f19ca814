import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct CallTests {
    @Test func `a volatile call that nobody waits for any more is not begun`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let begun = NIOLockedValueBox(0)
        try await beta.running {
            await #expect(throws: CallError.deadlineExceeded) {
                try await beta.bus.call(Peek(number: 1), deadline: .seconds(3))
            }
        }
        #expect(try await world.count("select count(*) from queue.ready") == 1)
        try await alpha.running(
            handlers: [
                .reply(Peek.self) { call, _, _ in
                    begun.withLockedValue { $0 += 1 }
                    return Peek.Reply(number: call.number)
                }
            ]
        ) {
            try await eventually("it is gone") { try await world.isEmpty() }
        }
        #expect(begun.withLockedValue { $0 } == 0)
        #expect(try await world.violations() == [])
    }

    @Test func `a durable call is carried out although nobody waits any more`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        try await beta.running {
            await #expect(throws: CallError.deadlineExceeded) {
                try await beta.bus.call(Double(number: 1), deadline: .seconds(3))
            }
        }
        try await alpha.running(
            handlers: [
                .reply(Double.self) { call, job, transaction in
                    try await note(job, in: transaction)
                    return Double.Reply(number: call.number * 2)
                }
            ]
        ) {
            try await eventually("it is done") { try await world.isDone(effects: 1) }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `a call whose handler gives up fails with its code, volatile ones at the first failure`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        try await alpha.running(
            handlers: [
                .reply(Double.self) { _, _, _ in throw JobFailure.permanent("no-such-number") },
                .reply(Peek.self) { _, _, _ in throw Boom() },
            ]
        ) {
            try await beta.running {
                await #expect(throws: CallError.failed(code: "no-such-number")) {
                    try await beta.bus.call(Double(number: 1), deadline: .seconds(20))
                }
                await #expect(throws: CallError.failed(code: "handler-failed")) {
                    try await beta.bus.call(Peek(number: 1), deadline: .seconds(20))
                }
            }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `the answer and the effects of a durable call are one`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let quick = QueueDeclaration(Double.queue, backoff: Backoff(base: .milliseconds(5), jitter: 0))
        try await alpha.running(
            queues: [quick],
            handlers: [
                .reply(Double.self) { call, job, transaction in
                    try await note(job, in: transaction)
                    if job.attempt == 1 { try await transaction.execute("select 1 / 0") }
                    return Double.Reply(number: job.attempt)
                }
            ]
        ) {
            try await beta.running {
                let reply = try await beta.bus.call(Double(number: 1), deadline: .seconds(20))
                #expect(reply.number == 2)
            }
        }
        #expect(try await world.effects() == 1)
        #expect(try await world.count("select count(*) from queue.reply") == 0)
        #expect(try await world.violations() == [])
    }

    @Test func `a cancelled call lets its caller go`() async throws {
        let world = try await World.make()
        let beta = world.bus("beta")
        try await beta.running {
            let call = Task { try await beta.bus.call(Double(number: 1), deadline: .seconds(600)) }
            try await eventually("it is asked") { try await world.count("select count(*) from queue.ready") == 1 }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
        }
    }

    @Test func `calls between services of one process need no bell`() async throws {
        let world = try await World.make()
        let street = Neighbourhood()
        let alpha = world.bus("alpha", neighbourhood: street)
        let beta = world.bus("beta", neighbourhood: street)
        await alpha.listener.shutdown()
        await beta.listener.shutdown()
        try await alpha.running(handlers: [.reply(Peek.self) { call, _, _ in Peek.Reply(number: call.number) }]) {
            try await beta.running {
                for number in 1...20 {
                    let reply = try await beta.bus.call(Peek(number: number), deadline: .seconds(20))
                    #expect(reply.number == number)
                }
            }
        }
    }
}
