import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.database(), .timeLimit(.minutes(20))) struct ListenerTests {
    /// A listener of its own on the present test's database, shut down at the end.
    private func withListener(
        _ change: (inout DatabaseConfiguration) -> Void = { _ in }, _ body: (Listener) async throws -> Void
    ) async throws {
        let current = try TestDatabase.current
        var configuration = current.configuration()
        configuration.applicationName = "listening"
        change(&configuration)
        let listener = Listener(configuration, reactor: current.reactor, logger: CapturedLogs.logger)
        let failed = await failure { try await body(listener) }
        await listener.shutdown()
        if let failed { throw failed }
    }

    @Test func `what is notified is heard, after the word that it listens`() async throws {
        let owner = try TestDatabase.current.owner
        try await self.withListener { listener in
            let bells = listener.notifications(["first", "Second channel"]).makeAsyncIterator()
            #expect(await bells.next() == .reconnected)
            #expect(listener.isConnected)
            try await owner.execute(
                "select pg_notify('first', 'a'), pg_notify('Second channel', 'b'), pg_notify('other', 'c')")
            try await owner.execute("select pg_notify('first', 'd')")
            #expect(await bells.next() == .notification(channel: "first", payload: "a"))
            #expect(await bells.next() == .notification(channel: "Second channel", payload: "b"))
            #expect(await bells.next() == .notification(channel: "first", payload: "d"))
        }
    }

    @Test func `two who listen share a connection and hear their own`() async throws {
        let owner = try TestDatabase.current.owner
        try await self.withListener { listener in
            let one = listener.notifications(["one"]).makeAsyncIterator()
            #expect(await one.next() == .reconnected)
            let two = listener.notifications(["two"]).makeAsyncIterator()
            #expect(await two.next() == .reconnected)
            try await owner.execute("select pg_notify('two', ''), pg_notify('one', '')")
            #expect(await one.next() == .notification(channel: "one", payload: ""))
            #expect(await two.next() == .notification(channel: "two", payload: ""))
            let sessions = try await owner.one(
                """
                select count(*)
                from pg_stat_activity
                where application_name = 'listening'
                  and datname = current_database()
                """
            )
            #expect(try sessions.decode(Int.self) == 1)
        }
    }

    @Test func `after a lost connection it listens again and says so`() async throws {
        let owner = try TestDatabase.current.owner
        try await self.withListener { listener in
            let bells = listener.notifications(["channel"]).makeAsyncIterator()
            #expect(await bells.next() == .reconnected)
            for round in 1...3 {
                try await owner.execute(
                    """
                    select pg_terminate_backend(pid)
                    from pg_stat_activity
                    where application_name = 'listening'
                      and datname = current_database()
                    """)
                #expect(await bells.next() == .reconnected)
                try await owner.execute("select pg_notify('channel', \("\(round)"))")
                #expect(await bells.next() == .notification(channel: "channel", payload: "\(round)"))
            }
        }
    }

    @Test func `a server that is not there is tried again until it is`() async throws {
        let proxy = try SilentProxy(to: try TestDatabase.current.cluster.conninfo)
        defer { proxy.stop() }
        proxy.refuse(true)
        try await self.withListener {
            $0.conninfo += " host=\(proxy.folder) port=5432"
        } _: { listener in
            let bells = listener.notifications(["channel"]).makeAsyncIterator()
            _ = try await proxy.refused.next(3)
            #expect(!listener.isConnected)
            proxy.refuse(false)
            #expect(await bells.next() == .reconnected)
        }
    }

    @Test func `who lets go is no longer listened for`() async throws {
        let owner = try TestDatabase.current.owner
        try await self.withListener { listener in
            var bells: Bells? = listener.notifications(["channel"])
            #expect(await bells?.makeAsyncIterator().next() == .reconnected)
            bells = nil
            try await eventually("the session is closed") {
                try await owner.one("select count(*) from pg_stat_activity where application_name = 'listening'")
                    .decode(Int.self) == 0
            }
            #expect(!listener.isConnected)
            let again = listener.notifications(["channel"]).makeAsyncIterator()
            #expect(await again.next() == .reconnected)
        }
    }

    @Test func `a shutdown and a cancelled task end the sequence`() async throws {
        try await self.withListener { listener in
            let cancelled = Task { [bells = listener.notifications(["a"])] in
                var heard: [Bell] = []
                for await bell in bells { heard.append(bell) }
                return heard.count
            }
            let stopped = listener.notifications(["b"]).makeAsyncIterator()
            #expect(await stopped.next() == .reconnected)
            cancelled.cancel()
            #expect(await cancelled.value <= 1)
            async let next = stopped.next()
            await listener.shutdown()
            #expect(await next == nil)
        }
    }
}
