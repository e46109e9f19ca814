import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// Guarantee 5: no NOTIFY in a transaction that writes, and a lost bell costs a poll interval, never a job.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct BellTests {
    @Test func `a job that nobody rang for is found by the poll`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = Signal<Int>()
        try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
            try await eventually("the worker sleeps") {
                try await world.count("select count(*) from queue.sleeper") == 1
            }
            try await world.owner.execute(
                "select queue.send(1::smallint, 'alpha.work', 1::smallint, '{\"number\": 4}')")
            #expect(try await done.next() == 4)
        }
    }

    @Test func `a worker without ears works by polling`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        await alpha.listener.shutdown()
        let done = Signal<Int>()
        try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
            for number in 1...3 {
                _ = try await beta.send(Work(number: number))
                #expect(try await done.next() == number)
            }
        }
    }

    @Test func `a bell wakes only services with a sleeper, and each sleeper once`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await alpha.running(handlers: [.transactional(Work.self) { _, _, _ in }]) {
            try await eventually("the worker sleeps") {
                try await world.count("select count(*) from queue.sleeper") == 1
            }
        }
        try await world.owner.execute(
            "insert into queue.queue (name, owner_service) values ('beta.one', 'beta'), ('gamma.one', 'gamma')")
        let worker = try await world.owner.one("select queue.register('beta', 'h', 1)").value(at: 0, as: Int32.self)
        try await world.owner.execute("select queue.sleep(\(worker))")
        try await world.owner.execute("select queue.sleep(\(worker))")
        let all =
            "select array_agg(service || ' ' || sleepers) from queue.wake(array(select id from queue.queue))" as SQL
        #expect(try await world.owner.one(all).value(at: 0, as: [String]?.self) == ["beta 1"])
        #expect(try await world.owner.one(all).value(at: 0, as: [String]?.self) == nil)
    }

    @Test func `only the bell notifies, and what sends does not call it`() async throws {
        let world = try await World.make()
        let notifying = try await world.owner.query(
            """
            select proname::text from pg_proc
            where pronamespace = 'queue'::regnamespace and prosrc ilike '%notify%' order by 1
            """
        ).map { try $0.value(at: 0, as: String.self) }
        #expect(notifying == ["bell", "bell_cancel"])
        let ringing = try await world.owner.query(
            """
            select proname::text from pg_proc
            where pronamespace = 'queue'::regnamespace and prosrc ~ '\\mbell(_cancel)?\\M'
            """
        ).count
        #expect(ringing == 0)
        let triggers = try await world.owner.query(
            """
            select tgname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
            where c.relnamespace = 'queue'::regnamespace and not tgisinternal
            """)
        #expect(triggers.isEmpty)
    }

    @Test func `a commit of a sender notifies nobody, its doorbell does`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let worker = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        try await world.owner.execute("select queue.sleep(\(worker))")
        let heard = Signal<Bell>()
        let bells = world.bus("alpha").listener.notifications(["queue_alpha", "marker"])
        let listening = Task { for await bell in bells { heard.send(bell) } }
        defer { listening.cancel() }
        #expect(try await heard.next() == .reconnected)
        // Without a worker beside it the bus's doorbell does not run: what is heard comes from the commit.
        _ = try await alpha.send(Work(number: 1))
        try await world.owner.execute("select pg_notify('marker', '')")
        #expect(try await heard.next() == .notification(channel: "marker", payload: ""))
        try await beta.running {
            _ = try await beta.send(Work(number: 2))
            #expect(try await heard.next() == .notification(channel: "queue_alpha", payload: "work 1"))
        }
    }
}
