import EmbeddedPostgres
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

private struct MakeInvoice: Command {
    static let name = "billing.make-invoice"
    static let queue: QueueName = "billing.invoices"
    var number: Int
}

private struct OrderPlaced: Event {
    static let name = "shop.order-placed"
    var number: Int
}

/// The page for producers in other languages, letter by letter: its own blocks are what runs here.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct ProducersTests {
    private static let repository = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    /// Where `deploy/test` puts psycopg.
    private static let psycopg = "\(repository)/.build-tools/psycopg"
    private static let shell = ClubShell(data: "/nowhere")

    /// The fenced blocks of one language, in order.
    private static func blocks(_ language: String) throws -> [String] {
        let page = try String(
            contentsOfFile: "\(Self.repository)/Shared/JobQueue/JobQueue.docc/ProducersInAnyLanguage.md",
            encoding: .utf8)
        var blocks: [String] = []
        var block: [Substring]?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = block {
                block = line == "```" ? nil : lines + [line]
                if line == "```" { blocks.append(lines.joined(separator: "\n") + "\n") }
            } else if line == "```" + language {
                block = []
            }
        }
        return blocks
    }

    private static func python(_ script: String, _ arguments: String...) async throws -> ClubShell.Result {
        try await Self.shell.run("env", ["PYTHONPATH=\(Self.psycopg)", "python3", "-c", script] + arguments)
    }

    private static func hasPsycopg() async -> Bool {
        (try? await Self.python("import psycopg"))?.code == 0
    }

    private static func psql(_ script: String, _ conninfo: String) async throws -> ClubShell.Result {
        let file = "/tmp/club-producers-\(UUID().uuidString).sql"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let installed = try await PostgresInstallation.find().program("psql")
        let program = FileManager.default.isExecutableFile(atPath: installed) ? installed : "psql"
        return try await Self.shell.run(program, ["-X", "-q", "-d", conninfo, "-f", file])
    }

    /// The page's role, and the one of the service that hears it. Roles belong to the whole cluster, and other tests make
    /// them at the same time.
    private func prepare(_ world: World) async throws {
        let roles = try #require(try Self.blocks("sql").first)
        let test = try TestDatabase.current
        let owner = "\(test.cluster.conninfo) dbname='\(test.name)'"
        try await eventually("the roles are there") {
            _ = try await Self.psql(roles + roles.replacing("club_shop", with: "club_billing"), owner)
            return try await world.count(
                """
                select count(*) from pg_auth_members
                where roleid = 'club_bus'::regrole and member in (to_regrole('club_shop'), to_regrole('club_billing'))
                """) == 2
        }
    }

    private func conninfo() throws -> String {
        let test = try TestDatabase.current
        return "\(test.cluster.conninfo) dbname='\(test.name)' user=club_shop"
    }

    /// Runs the blocks one after the other beside a worker in Swift, until it has done what they sent.
    private func expect(
        _ invoices: [Int], _ events: [Int], of world: World, from blocks: [String],
        run: @Sendable (String) async throws -> ClubShell.Result
    ) async throws {
        let done = Signal<Int>()
        let heard = Signal<Int>()
        let billing = world.bus("billing")
        try await billing.running(handlers: [
            .transactional(MakeInvoice.self) { invoice, _, _ in done.send(invoice.number) },
            .transactional(OrderPlaced.self, on: MakeInvoice.queue) { order, _, _ in heard.send(order.number) },
        ]) {
            try await eventually("billing listens") {
                try await world.count("select count(*) from queue.subscription") == 1
            }
            for block in blocks {
                let result = try await run(block)
                #expect(result.code == 0, "\(result)")
            }
            var numbers: [Int] = []
            for _ in invoices { numbers.append(try await done.next()) }
            #expect(numbers.sorted() == invoices)
            numbers = []
            for _ in events { numbers.append(try await heard.next()) }
            #expect(numbers.sorted() == events)
            try await eventually("all have ended") { try await world.isEmpty() }
        }
        #expect(try await world.count("select count(*) from queue.job") == invoices.count + events.count)
        #expect(try await world.violations() == [])
    }

    @Test func `the psql examples send what a worker in Swift does`() async throws {
        let world = try await World.make()
        try await self.prepare(world)
        let blocks = try Self.blocks("psql")
        #expect(blocks.count == 2)
        let conninfo = try self.conninfo()
        try await self.expect([1, 2, 3, 4], [5], of: world, from: blocks) { block in
            try await Self.psql(block, conninfo)
        }
    }

    @Test(.enabled("psycopg is not installed: deploy/test does it where it may") { await Self.hasPsycopg() })
    func `the Python examples send what a worker in Swift does`() async throws {
        let world = try await World.make()
        try await self.prepare(world)
        let blocks = try Self.blocks("python")
        #expect(blocks.count == 2)
        let conninfo = try self.conninfo()
        try await self.expect([11, 12, 13], [15], of: world, from: blocks) { block in
            try await Self.python(block, conninfo)
        }
        #expect(try await world.count("select count(*) from queue.job where key = 'customer-7'") == 1)
    }

    // MARK: The contract

    @Test func `who is not among the producers of a queue is refused, by every way of sending`() async throws {
        let world = try await World.make()
        try await self.prepare(world)
        let shop = world.database("shop")
        let row = try await shop.one("select id from queue.resolve('{billing.invoices}')")
        let number = try row.value(at: 0, as: Int16.self)
        let ways: [SQL] = [
            "select queue.send(\(number), 'billing.make-invoice', 1::smallint, '{}')",
            "select queue.send_many(\(number), 'billing.make-invoice', 1::smallint, array['{}']::jsonb[])",
            """
            select * from queue.send_unique(
                \(number), 'billing.make-invoice', 1::smallint, '{}', null, 2::smallint, null, null, null, null, 'x', null,
                'ignore')
            """,
        ]
        for way in ways { try await shop.execute(way) }
        try await world.owner.execute("update queue.queue set producers = '{till}'")
        for way in ways {
            await #expect { try await shop.execute(way) } throws: {
                ($0 as? DatabaseError)?.code == .insufficientPrivilege
            }
        }
        try await world.owner.execute("update queue.queue set producers = '{till, shop}'")
        try await shop.execute(ways[0])
        await #expect { try await shop.execute("select queue.send(32000::smallint, 'x', 1::smallint, '{}')") } throws: {
            ($0 as? DatabaseError)?.sqlState == "QL003"
        }
    }

    /// Version 1, as it was published. A line may get longer at its end, by parameters with a default or by columns;
    /// anything else needs another version and another name.
    private static let signatures: [(name: String, arguments: String, result: String)] = [
        ("resolve", "p_names text[]", "TABLE(name text, id smallint"),
        (
            "send",
            """
            p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text DEFAULT NULL::text, \
            p_priority smallint DEFAULT 2, p_run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, \
            p_headers jsonb DEFAULT NULL::jsonb, p_cause bigint DEFAULT NULL::bigint, p_id bigint DEFAULT NULL::bigint, \
            p_deadline timestamp with time zone DEFAULT NULL::timestamp with time zone
            """, "bigint"
        ),
        (
            "send_many",
            """
            p_queue smallint, p_kind text, p_version smallint, p_args jsonb[], p_keys text[] DEFAULT NULL::text[], \
            p_priority smallint DEFAULT 2, p_run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, \
            p_headers jsonb DEFAULT NULL::jsonb, p_cause bigint DEFAULT NULL::bigint, \
            p_deadline timestamp with time zone DEFAULT NULL::timestamp with time zone
            """, "bigint[]"
        ),
        (
            "send_unique",
            """
            p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_priority smallint, \
            p_run_at timestamp with time zone, p_headers jsonb, p_cause bigint, p_deadline timestamp with time zone, \
            p_unique text, p_window_ms bigint, p_policy text
            """, "TABLE(id bigint, is_new boolean"
        ),
        (
            "publish",
            """
            p_event text, p_version smallint, p_args jsonb[], p_keys text[] DEFAULT NULL::text[], \
            p_headers jsonb DEFAULT NULL::jsonb, p_cause bigint DEFAULT NULL::bigint
            """, "TABLE(queue_id smallint, owner_service text"
        ),
        ("bell", "p_queues smallint[], p_instances integer[]", "void"),
    ]

    @Test(arguments: Self.signatures.map(\.name))
    func `what version 1 of the contract says is still so`(name: String) async throws {
        let world = try await World.make()
        #expect(try await world.count("select queue.contract_version()::bigint") == 1)
        let expected = try #require(Self.signatures.first { $0.name == name })
        let functions = try await world.owner.query(
            """
            select pg_get_function_arguments(oid), pg_get_function_result(oid),
                has_function_privilege('club_bus', oid, 'execute') and prosecdef
            from pg_proc where pronamespace = 'queue'::regnamespace and proname = \(name)
            """)
        let row = try #require(functions.count == 1 ? functions.first : nil, "there are \(functions.count)")
        let arguments = try row.value(at: 0, as: String.self)
        #expect(arguments.hasPrefix(expected.arguments))
        let more = arguments.dropFirst(expected.arguments.count).split(separator: ", ")
        #expect(more.allSatisfy { $0.contains(" DEFAULT ") }, "\(more)")
        #expect(try row.value(at: 1, as: String.self).hasPrefix(expected.result))
        #expect(try row.value(at: 2, as: Bool.self))
    }
}
