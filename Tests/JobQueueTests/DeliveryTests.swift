import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct DeliveryTests {
    @Test func `a command is handled once, with its effects`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = Signal<Int>()
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { work, job, transaction in
                    try await note(job, in: transaction)
                    transaction.afterCommit { done.send(work.number) }
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 7))
            #expect(try await done.next() == 7)
        }
        #expect(try await world.effects() == 1)
        #expect(try await world.isEmpty())
        #expect(try await world.violations() == [])
    }

    @Test func `a command of a transaction that rolled back does not exist`() async throws {
        let world = try await World.make()
        let beta = world.bus("beta")
        await #expect(throws: Boom.self) {
            try await beta.database.transaction { transaction in
                try await beta.bus.send(Work(number: 1), in: transaction)
                throw Boom()
            }
        }
        #expect(try await world.count("select count(*) from queue.job") == 0)
    }

    @Test func `a command sent alone is there when its sending returns, and rings`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let beta = world.bus("beta")
        let done = Signal<JobID>()
        let early = try await beta.bus.send(Work(number: 1))
        #expect(try await world.count("select count(*) from queue.job where id = \(early.raw)") == 1)
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    transaction.afterCommit { done.send(job.id) }
                }
            ]
        ) {
            #expect(try await done.next() == early)
            try await beta.running {
                let late = try await beta.bus.send(Work(number: 2))
                #expect(try await done.next() == late)
            }
        }
        let delayed = try await beta.bus.send(Work(number: 3), .delay(.seconds(3600)))
        #expect(try await world.count("select count(*) from queue.deferred where id = \(delayed.raw)") == 1)
        #expect(try await world.violations() == [])
    }

    @Test func `a command of another process is heard through the bell`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let beta = world.bus("beta")
        let done = Signal<Int>()
        try await alpha.running(
            handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]
        ) {
            try await beta.running {
                _ = try await beta.send(Work(number: 3))
                #expect(try await done.next() == 3)
            }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `batches take many jobs in one transaction`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let sizes = Signal<Int>()
        _ = try await alpha.send(contentsOf: (1...1200).map { Work(number: $0) })
        try await alpha.running(
            handlers: [
                .batch(Work.self, limit: 500) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                    let count = jobs.count
                    transaction.afterCommit { sizes.send(count) }
                }
            ]
        ) {
            try await eventually("all jobs are done") { try await world.isEmpty() }
        }
        #expect(try await world.effects() == 1200)
        #expect(try await sizes.next() == 500)
        #expect(try await world.violations() == [])
    }

    @Test func `an event goes to every queue that is subscribed`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let beta = world.bus("beta")
        let heard = Signal<String>()
        try await alpha.running(
            handlers: [.transactional(Happened.self, on: "alpha.ears") { _, job, _ in heard.send(job.queue.text) }]
        ) {
            try await beta.running(
                handlers: [.transactional(Happened.self, on: "beta.ears") { _, job, _ in heard.send(job.queue.text) }]
            ) {
                try await eventually("both are subscribed") {
                    try await world.count("select count(*) from queue.subscription") == 2
                }
                try await alpha.publish(Happened(number: 1))
                #expect(try await Set(heard.next(2)) == ["alpha.ears", "beta.ears"])
            }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `calls are answered, durable and volatile, many at a time`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let beta = world.bus("beta")
        try await alpha.running(
            handlers: [
                .reply(Double.self) { call, _, _ in Double.Reply(number: call.number * 2) },
                .reply(Peek.self) { call, _, _ in Peek.Reply(number: call.number + 1) },
            ]
        ) {
            try await beta.running {
                try await withThrowingTaskGroup(of: (Int, Int, Int).self) { group in
                    for number in 1...20 {
                        group.addTask {
                            async let double = beta.bus.call(Double(number: number), deadline: .seconds(20))
                            async let peek = beta.bus.call(Peek(number: number), deadline: .seconds(20))
                            return (number, try await double.number, try await peek.number)
                        }
                    }
                    for try await (number, double, peek) in group {
                        #expect(double == number * 2)
                        #expect(peek == number + 1)
                    }
                }
            }
        }
        #expect(try await world.violations() == [])
    }
}
