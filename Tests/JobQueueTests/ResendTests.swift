import EmbeddedPostgres
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// A command with a number of its own can be sent again by whoever does not know whether it was committed.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct ResendTests {
    private func resend(_ station: Station, _ work: Work, _ id: JobID) async throws {
        try await station.database.transaction { try await station.bus.send(work, id: id, in: $0) }
    }

    @Test func `a command that is sent three times under one number exists and runs once`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let beta = world.bus("beta")
        let id = try await beta.bus.makeJobID()
        for _ in 1...2 { try await self.resend(beta, Work(number: 1), id) }
        try await alpha.running(
            handlers: [.transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }]
        ) {
            try await eventually("it is done") { try await world.isDone(effects: 1) }
            // Also when it has ended already.
            try await self.resend(beta, Work(number: 1), id)
            let other = try await beta.send(Work(number: 2))
            try await eventually("the next one is done") { try await world.isDone(effects: 2) }
            #expect(other != id)
        }
        #expect(try await world.count("select count(*) from queue.job where id = \(id.raw)") == 1)
        #expect(try await world.violations() == [])
    }

    @Test func `a number that belongs to another kind or queue is refused, and so is an old one`() async throws {
        let world = try await World.make()
        let beta = world.bus("beta")
        let id = try await beta.bus.makeJobID()
        try await self.resend(beta, Work(number: 1), id)
        let other = await #expect(throws: DatabaseError.self) {
            try await beta.database.transaction { try await beta.bus.send(Postcard(phone: ""), id: id, in: $0) }
        }
        #expect(other?.sqlState == "QL007")
        let old = await #expect(throws: DatabaseError.self) { try await self.resend(beta, Work(number: 1), JobID(1)) }
        #expect(old?.sqlState == "QL005")
        #expect(try await world.count("select count(*) from queue.job") == 1)
    }

    @Test(arguments: [true, false])
    func `whoever sends while the first one is not decided waits for it`(commits: Bool) async throws {
        let world = try await World.make()
        let beta = world.bus("beta")
        let id = try await beta.bus.makeJobID()
        let isInserted = Signal<Void>()
        let mayEnd = Signal<Void>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await beta.database.transaction { transaction in
                        // What Bus.send has sent with the commit, ahead of it.
                        try await transaction.execute(
                            """
                            select queue.resend(
                                (select id from queue.resolve(array['alpha.work'])), 'alpha.work', 1::smallint,
                                '{"number": 1}', null, 2::smallint, null, null, null, \(id.raw), null)
                            """)
                        isInserted.send()
                        try await mayEnd.next()
                        if !commits { throw Boom() }
                    }
                } catch is Boom {}
            }
            try await isInserted.next()
            group.addTask { try await self.resend(beta, Work(number: 1), id) }
            try await eventually("the second one waits") {
                try await world.count("select count(*) from pg_locks where locktype = 'transactionid' and not granted")
                    > 0
            }
            mayEnd.send()
            try await group.waitForAll()
        }
        #expect(try await world.count("select count(*) from queue.job") == 1)
        #expect(try await world.count("select count(*) from queue.ready") == 1)
        #expect(try await world.violations() == [])
    }
}

/// The server has committed, and nobody is left to hear it.
@Suite(.capturedLogs, .serialized)
struct LostCommitTests {
    @Test func `a send whose commit was never answered is repeated, and its job runs once`() async throws {
        try await withOwnServer(.durable) { world, _ in
            let beta = world.bus("beta")
            let id = try await beta.bus.makeJobID()
            let send = { @Sendable in
                try await beta.database.transaction { try await beta.bus.send(Work(number: 1), id: id, in: $0) }
            }
            // A commit that waits for a standby has happened here. Its session is ended while it waits, as it would be
            // at a failover.
            try await world.setStandby("'nobody'")
            let sending = Task { try await send() }
            try await eventually("the commit waits for the standby") {
                try await world.count(
                    """
                    select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where wait_event = 'SyncRep' and usename = 'club_beta'
                    """) == 1
            }
            let lost = await #expect(throws: DatabaseError.self) { try await sending.value }
            #expect(lost?.code == .connectionLost)
            try await world.setStandby("''")
            #expect(try await world.count("select count(*) from queue.job where id = \(id.raw)") == 1)
            try await send()
            try await world.bus("alpha").running(
                handlers: [.transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }]
            ) {
                try await eventually("it is done") { try await world.isDone(effects: 1) }
            }
            #expect(try await world.count("select count(*) from queue.job") == 1)
            #expect(try await world.violations() == [])
        }
    }
}

extension World {
    fileprivate func setStandby(_ names: String) async throws {
        if names == "''" {
            try await self.owner.execute("alter system reset synchronous_standby_names")
        } else {
            try await self.owner.execute("alter system set synchronous_standby_names = 'nobody'")
        }
        try await self.owner.execute("select pg_reload_conf()")
        try await eventually("the setting is in force") {
            let now = try await self.owner.one("select quote_literal(current_setting('synchronous_standby_names'))")
            return try now.decode(String.self) == names
        }
    }
}
