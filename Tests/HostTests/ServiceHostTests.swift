import FoundationEssentials
import Host
import JobQueue
import Kernel
import Postgres
import Telemetry
import TestSupport
import Testing
import Tracing

@Suite(.database(JobQueueMigrations.set, SampleModule.migrations)) struct ServiceHostTests {
    @Test func `a service serves its routes, its pages and its queue`() async throws {
        try await ServiceWorld.run([SampleModule.self], settings: ["CLUB_LEDGER_GREETING": "good day"]) { world in
            let client = try world.client(for: "ledger")
            #expect(try await client.get("/greeting").text == "good day")
            #expect(try await client.get("/openapi.yaml").text == "openapi: 3.1.0\n")
            #expect(try await client.get("/nothing").problem == "not-found")
            #expect(try await client.send("POST", "/notes/remembered").status == 202)
            try await eventually("the note was handled") {
                try await client.get("/notes").text == "remembered"
            }
            let metrics = try await client.get("/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("\nprocess_resident_memory_bytes "))
            #expect(metrics.text.contains("http_requests_total{method=\"GET\",route=\"/greeting\",status=\"200\"} 1"))
        }
    }

    @Test func `a request, what it sends and the job that does it are one trace`() async throws {
        let tracer = TestTracer()
        try await withTracer(tracer) {
            try await ServiceWorld.run([SampleModule.self]) { world in
                _ = try await world.client(for: "ledger").send("POST", "/notes/remembered")
                try await eventually("the job's span has ended") {
                    tracer.span("process ledger.notes", .consumer) != nil
                }
                let done = try #require(tracer.span("process ledger.notes", .consumer))
                let sent = try #require(tracer.span("send ledger.notes", .producer))
                let asked = try #require(tracer.span("POST /notes/{text}", .server))
                #expect(done.parent == sent.trace)
                #expect(sent.parent == asked.trace)
            }
        }
    }

    @Test func `a service works as its own role and not as the owner`() async throws {
        try await ServiceWorld.run([SampleModule.self]) { world in
            // The server shows a session a moment after it has let it in.
            let names = try await eventually("the service has a session") { () -> [String]? in
                let users = try await world.database.owner.query(
                    """
                    select distinct usename from pg_stat_activity
                    where datname = current_database() and application_name like 'club-ledger %'
                    """)
                return users.isEmpty ? nil : try users.map { try $0.decode(String.self) }
            }
            #expect(names == ["club_ledger"])
        }
    }

    @Test func `a setting that the service itself finds wrong stops the host with its sentence`() async throws {
        let error = await #expect(throws: SettingsError.self) {
            try await ServiceWorld.run(
                [SampleModule.self], settings: ["CLUB_LEDGER_GREETING": "impossible"]
            ) { _ in }
        }
        #expect(error?.description == "CLUB_LEDGER_GREETING must not be impossible.")
    }

    @Test func `a service's periodic jobs are declared, and what they send comes to its handlers`() async throws {
        let settings = ["CLUB_LEDGER_GREETING": "0 0 1 JAN *"]
        try await ServiceWorld.run([SampleModule.self], settings: settings) { world in
            let administration = QueueAdministration(world.database.owner)
            try await eventually("it is declared") {
                try await administration.periodicJobs().map(\.schedule) == ["0 0 1 JAN *"]
            }
            try await administration.runPeriodicNow("ledger.remember", reason: "test")
            let client = try world.client(for: "ledger")
            try await eventually("the note was handled") { try await client.get("/notes").text == "0 0 1 JAN *" }
        }
    }

    @Test func `a schedule that is none stops the host with its sentence`() async throws {
        await #expect(throws: ScheduleError.neverDue) {
            try await ServiceWorld.run(
                [SampleModule.self], settings: ["CLUB_LEDGER_GREETING": "0 0 30 FEB *"]
            ) { _ in }
        }
    }

    @Test func `a port that is taken stops the host with a sentence`() async throws {
        try await ServiceWorld.run([SampleModule.self]) { world in
            let taken = try world.port(of: "ledger")
            // The base port: the ledger's own is one above.
            let error = await #expect(throws: HostError.self) {
                try await ServiceWorld.run([SampleModule.self], settings: ["CLUB_PORT": "\(taken - 1)"]) { _ in }
            }
            #expect(error?.description.contains("port \(taken)") == true)
            #expect(error?.description.contains("CLUB_PORT") == true)
        }
    }
}

@Suite(.database(JobQueueMigrations.set)) struct UnreadyServiceTests {
    /// A host of the sample on the present test's database, told to stop when the body ends.
    private func withHost(
        _ body: @Sendable (HTTPTestClient, Signal<HostEvent>) async throws -> Void
    ) async throws {
        let database = try TestDatabase.current
        let host = try ServiceHost(
            modules: [SampleModule.self],
            settings: ["CLUB_DATABASE": database.configuration().conninfo, "CLUB_PORT": "0"], environment: [:],
            sink: .nowhere)
        let events = Signal<HostEvent>()
        let stopSwitch = StopSwitch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await host.run(handlesSignals: false, stopSwitch: stopSwitch) { events.send($0) }
            }
            defer { stopSwitch.pull() }
            guard case .listening(_, let port) = try await events.next() else {
                Issue.record("the service was ready before it listened")
                return
            }
            try await body(HTTPTestClient("http://127.0.0.1:\(port)"), events)
        }
    }

    @Test func `a service whose tables are missing is alive, not ready, and begins when they are there`() async throws {
        let database = try TestDatabase.current
        try await self.withHost { client, events in
            #expect(try await client.get("/health/live").status == 200)
            #expect(try await client.get("/health/ready").status == 503)
            let refused = try await client.get("/greeting")
            #expect(refused.status == 503)
            #expect(refused.problem == "temporarily-unavailable")
            #expect(refused.headers["retry-after"] == "1")
            try await Migrator(reactor: database.reactor, logger: CapturedLogs.logger)
                .migrate([SampleModule.migrations], on: database.configuration())
            #expect(try await events.next() == .ready("ledger"))
            #expect(try await client.get("/greeting").text == "hello")
            try await eventually("ready") { try await client.get("/health/ready").status == 200 }
        }
    }

    @Test func `a service that still waits for its database stops at once when asked`() async throws {
        try await self.withHost { client, _ in
            let alive = try await client.get("/health/live")
            #expect(alive.status == 200)
        }
    }
}
