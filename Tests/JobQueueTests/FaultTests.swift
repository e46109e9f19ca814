import JobQueue
import JobQueueTesting
import Kernel
import Postgres
import TestSupport
import Testing

/// The helpers that others test with, and what the bus makes of their faults.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct FaultTests {
    private static let handler = Handler.transactional(Work.self) { _, job, transaction in
        try await note(job, in: transaction)
    }

    @Test func `what waits is seen, and drained`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let ids = try await alpha.send(contentsOf: (1...3).map { Work(number: $0) })
        let late = try await alpha.send(Work(number: 4), .delay(.seconds(3600)))
        let found = try await world.owner.assertEnqueued(Work.self) { $0.number == 2 }
        #expect(found == ids[1])
        #expect(try await world.owner.assertEnqueued(Work.self) { $0.number == 4 } == late)
        await #expect(throws: JobQueueTestFailure.self) {
            try await world.owner.assertEnqueued(Work.self) { $0.number == 9 }
        }
        await #expect(throws: JobQueueTestFailure.self) { try await world.owner.refuteEnqueued(Work.self) }
        try await alpha.bus.drain(on: alpha.database, handlers: [Self.handler])
        #expect(try await world.effects() == 3)
        try await world.owner.refuteEnqueued(Work.self) { $0.number < 4 }
        #expect(try await world.violations() == [])
    }

    @Test func `what cannot be drained is named`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        let failure = await #expect(throws: JobQueueTestFailure.self) {
            try await alpha.bus.drain(on: alpha.database, handlers: [], within: .milliseconds(200))
        }
        #expect(failure?.description.contains("alpha.work (1 ready") == true)
    }

    @Test func `a job whose bell is lost is found by the poll`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        try await FaultInjector(world.owner).dropBells()
        try await alpha.running(handlers: [Self.handler]) {
            try await eventually("alpha sleeps") { try await world.count("select count(*) from queue.sleeper") == 1 }
            try await beta.running {
                _ = try await beta.send(Work(number: 1))
                try await eventually("it is done") { try await world.isDone(effects: 1) }
            }
            // Nobody has woken it: its announcement still stands, or was made anew by itself only.
            #expect(try await world.count("select count(*) from queue.sleeper") == 1)
        }
        #expect(try await world.violations() == [])
    }

    @Test func `needless bells do no harm, and are needless no more once repaired`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let faults = FaultInjector(world.owner)
        try await faults.multiplyBells()
        try await alpha.running(handlers: [Self.handler]) {
            try await beta.running {
                for number in 1...20 { _ = try await beta.send(Work(number: number)) }
                try await eventually("all are done") { try await world.isDone(effects: 20) }
                try await faults.repairBells()
                _ = try await beta.send(Work(number: 21))
                try await eventually("the last one is done") { try await world.isDone(effects: 21) }
            }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `slow commits and cut sessions change nothing but the pace`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let faults = FaultInjector(world.owner)
        try await faults.slowDownCommits(by: .milliseconds(20))
        try await alpha.running(handlers: [Self.handler]) {
            _ = try await alpha.send(contentsOf: (1...40).map { Work(number: $0) })
            try await eventually("some are done") { try await world.effects() > 5 }
            #expect(try await faults.killSessions(of: "alpha") == 1)
            try await eventually("all are done") { try await world.isDone(effects: 40) }
        }
        try await faults.slowDownCommits(by: .zero)
        #expect(try await world.count("select count(distinct job) from public.effect") == 40)
        #expect(try await world.violations() == [])
    }
}
