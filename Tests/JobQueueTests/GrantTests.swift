import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The walls between services, in the database itself.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct GrantTests {
    private func isRefused(_ sql: SQL, on database: Database) async throws -> Bool {
        do {
            try await database.execute(sql)
            return false
        } catch let error as DatabaseError {
            return error.code == .insufficientPrivilege
        }
    }

    @Test func `a service has no right on any table of the queue`() async throws {
        let world = try await World.make()
        let granted = try await world.owner.query(
            """
            select c.relname::text || ' ' || p.privilege
            from pg_class c
            cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p(privilege)
            where c.relnamespace = 'queue'::regnamespace and c.relkind in ('r', 'p')
                and has_table_privilege('club_alpha', c.oid, p.privilege)
            """)
        #expect(granted.isEmpty)
        #expect(try await self.isRefused("select * from queue.job", on: world.database("alpha")))
    }

    @Test func `functions that ask nobody for rights can be called by no service`() async throws {
        let world = try await World.make()
        let open = try await world.owner.query(
            """
            select proname::text from pg_proc
            where pronamespace = 'queue'::regnamespace and has_function_privilege('club_alpha', oid, 'execute')
            """
        ).map { try $0.value(at: 0, as: String.self) }
        for name in [
            "put", "put_many", "occupied", "bury", "lose", "forget", "rescue", "promote", "take_lease", "pull_ready",
            "check", "claim_0", "take_0", "wake", "put_periodic", "due_moments", "require_periodic", "next_run",
        ] {
            #expect(!open.contains(name), "\(name)")
        }
        #expect(open.contains("send"))
        let exposed = try await world.owner.query(
            """
            select proname::text from pg_proc
            where pronamespace = 'queue'::regnamespace and prosecdef
                and (proconfig is null or not 'search_path=pg_catalog, pg_temp' = any (proconfig))
            """)
        #expect(exposed.isEmpty)
    }

    @Test func `a service works only on its own queues, as its own workers`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let id = try await beta.send(Work(number: 1))
        let mine = try await alpha.database.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        let theirs = try await beta.database.one("select queue.register('beta', 'h', 1)").value(at: 0, as: Int32.self)

        // Beta's worker claims nothing of alpha's queue, and nobody may use another's worker.
        #expect(try await beta.database.query("select * from queue.claim(\(theirs), '{1}', '{9}', '{f}')").isEmpty)
        #expect(try await beta.database.query("select * from queue.take(\(theirs), 1::smallint, 9)").isEmpty)
        #expect(try await self.isRefused("select * from queue.claim(\(mine), '{1}', '{9}', '{f}')", on: beta.database))
        let claimed = try await alpha.database.query("select id from queue.claim(\(mine), '{1}', '{9}', '{f}')")
        #expect(try claimed.map { JobID(try $0.value(at: 0, as: Int64.self)) } == [id])

        let refused: [SQL] = [
            "select queue.register('alpha', 'h', 1)", "select queue.beat(\(mine))", "select queue.rejoin(\(mine))",
            "select queue.leave(\(mine))", "select queue.tend(\(mine), 1)", "select queue.sleep(\(mine))",
            "select queue.collect(\(mine))", "select queue.complete(\(mine), \(id.raw), 1::smallint)",
            "select queue.fail(\(mine), \(id.raw), 1::smallint, '{}')",
            "select queue.answer(\(mine), \(id.raw), 1::smallint, '{}')",
            "select queue.give_back(\(mine), '{1}', '{1}')", "select queue.disown(\(mine), '{}')",
            "select queue.isolate(\(mine), 1::smallint, '{1}')", "select queue.finish(\(mine), 1::smallint, '{1}')",
            "select queue.announce(\(mine), 0::smallint, 1::smallint, '{1}')",
            "select queue.postpone(\(mine), \(id.raw), 1::smallint, 1)",
            "select queue.set_aside(\(mine), 1::smallint, '{1}', 1)",
            "select queue.pause(1::smallint, '')", "select queue.resume(1::smallint, '')",
            "select * from queue.dead(1::smallint)", "select queue.redrive(1::smallint, '{1}', '')",
            "select queue.subscribe(1::smallint, '{x}')", "select queue.unsubscribe(1::smallint, 'x')",
            "select * from queue.show(\(id.raw))", "select * from queue.check()",
            "select queue.call(1::smallint, 'x', 1::smallint, '{}', null, \(mine), 1::smallint, 1)",
        ]
        for sql in refused {
            #expect(try await self.isRefused(sql, on: beta.database), "\(sql)")
        }
        #expect(try await beta.database.query("select * from queue.stats()").isEmpty)
        #expect(try await alpha.database.query("select * from queue.stats()").count == 1)
        // `set role` does not help: the functions ask who has logged in.
        try await world.owner.execute("grant club_alpha to club_beta")
        try await beta.database.withConnection { session in
            try await session.execute("set role club_alpha")
            await #expect(throws: DatabaseError.self) {
                try await session.execute("select queue.pause(1::smallint, '')")
            }
            try await session.execute("reset role")
        }
        try await world.owner.execute("revoke club_alpha from club_beta")
    }

    @Test func `a queue takes commands only from the producers that it names`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        try await alpha.running(queues: [QueueDeclaration(Work.queue, producers: ["alpha"])]) {
            try await eventually("it is declared") {
                try await world.count("select count(*) from queue.queue where producers is not null") == 1
            }
        }
        _ = try await alpha.send(Work(number: 1))
        await #expect { try await beta.send(Work(number: 2)) } throws: {
            ($0 as? DatabaseError)?.code == .insufficientPrivilege
        }
        await #expect { try await beta.send(contentsOf: [Work(number: 2)]) } throws: {
            ($0 as? DatabaseError)?.code == .insufficientPrivilege
        }
        #expect(try await world.count("select count(*) from queue.job") == 1)
    }
}
