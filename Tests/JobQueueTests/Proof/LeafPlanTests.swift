import EmbeddedPostgres
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The sixteen functions that claim and take from a leaf of the ring, each by its plan as the server writes it down: the
/// leaf's index is read in its order and no further than the limit, however many rows are dead and whatever the planner
/// thinks of the table.
@Suite(.capturedLogs)
struct LeafPlanTests {
    enum Kind: String, CaseIterable, Sendable {
        case claim, take
    }

    struct Leaf: Sendable, CustomStringConvertible {
        let kind: Kind
        let slot: Int

        static let all = Kind.allCases.flatMap { kind in (0..<8).map { Leaf(kind: kind, slot: $0) } }

        var description: String { "\(self.kind.rawValue)_\(self.slot)" }
    }

    static let queue: Int16 = 3
    /// Behind what is dead later.
    static let floor: Int32 = 100_000

    /// As many jobs as make a bitmap and a sort look cheap, in a leaf of which there are no statistics yet: so it is with
    /// every slot that was opened a moment ago.
    private func fill(_ world: World, _ slot: Int, _ ranks: ClosedRange<Int32>) async throws {
        try await world.owner.execute(
            """
            with ready as (
                insert into \(identifier: "queue", "ready_\(slot)") (slot, queue_id, priority, rank, id)
                select \(Int16(slot)), \(Self.queue), 2, n, \(Int32(slot)) * 1000000 + n
                from generate_series(\(ranks.lowerBound), \(ranks.upperBound)) n
                returning id
            )
            insert into queue.job (id, queue_id, kind, version, priority, args)
            select id, \(Self.queue), 'x', 1, 2, '{}' from ready
            """)
    }

    private func arrange(_ world: World) async throws {
        for slot in 0..<8 {
            try await world.owner.execute(
                "alter table \(identifier: "queue", "ready_\(slot)") set (autovacuum_enabled = off)")
            try await self.fill(world, slot, Self.floor + 1...Self.floor + 3000)
        }
    }

    /// In front of the jobs 100,000 that are gone, and 20,000 more behind them.
    private func grow(_ world: World) async throws {
        for slot in 0..<8 {
            let leaf = "ready_\(slot)"
            try await world.owner.execute(
                """
                insert into \(identifier: "queue", leaf) (slot, queue_id, priority, rank, id)
                select \(Int16(slot)), \(Self.queue), 2, n, n from generate_series(1, \(Self.floor)) n
                """)
            try await world.owner.execute("delete from \(identifier: "queue", leaf) where rank <= \(Self.floor)")
            try await self.fill(world, slot, Self.floor + 3001...Self.floor + 23_000)
        }
    }

    private func call(_ leaf: Leaf) -> SQL {
        switch leaf.kind {
        case .claim:
            """
            select id from \(identifier: "queue", leaf.description)(
                1, \(Self.queue), 10, '1 minute', 0::smallint, false, false, 2::smallint, \(Self.floor))
            """
        case .take:
            """
            select id from \(identifier: "queue", leaf.description)(
                \(Self.queue), 10, false, 2::smallint, \(Self.floor))
            """
        }
    }

    /// Calls the function in a transaction that is rolled back, and answers the plan of the search in it.
    private func plan(of leaf: Leaf, on session: Connection, _ server: EmbeddedPostgres) async throws -> Plan {
        struct TakeBack: Error {}
        let before = try String(contentsOfFile: server.logFile, encoding: .utf8).utf8.count
        do {
            try await session.transaction { transaction in
                let rows = try await transaction.query(self.call(leaf))
                #expect(rows.count == 10, "\(leaf)")
                throw TakeBack()
            }
        } catch is TakeBack {}
        let log = try String(contentsOfFile: server.logFile, encoding: .utf8).utf8.dropFirst(before)
        let plans = String(decoding: log, as: UTF8.self).split(separator: "Query Text: ")
        let search = try #require(
            plans.first { $0.contains("select r.ctid as place, r.id from queue.ready_\(leaf.slot)") }, "\(leaf)")
        let deletion = try #require(plans.first { $0.contains("delete from queue.ready_\(leaf.slot)") }, "\(leaf)")
        #expect(deletion.contains("Tid Scan on ready_\(leaf.slot)"), "\(leaf): \(deletion)")
        #expect(deletion.contains("Subplans Removed"), "days without these jobs are not opened: \(leaf): \(deletion)")
        return Plan(text: String(search), slot: leaf.slot)
    }

    /// A plan as auto_explain writes it.
    struct Plan: Sendable {
        let text: String
        let slot: Int

        private var nodes: [Substring] {
            self.text.split(separator: "\n").filter { $0.contains("->") || $0.contains("Buffers:") }
        }

        /// What the rows that are locked come from.
        var source: String {
            guard let lock = self.nodes.firstIndex(where: { $0.contains("LockRows") }) else { return "" }
            return self.nodes[lock...].first { $0.contains("Scan") || $0.contains("Sort") }.map(String.init) ?? ""
        }

        var isInOrder: Bool {
            self.source.contains("Index Scan using ready_\(self.slot)_queue_id_priority_rank_idx")
                && !self.text.contains("Bitmap")
        }

        /// Kept, and not made for the values of one search.
        var isKept: Bool { self.text.contains("Index Cond: ((queue_id = $") }

        /// Of the whole statement: what stands first.
        var pages: Int {
            let buffers = self.nodes.first { $0.contains("Buffers: shared") } ?? ""
            return buffers.split(separator: " ").compactMap { word in
                ["hit=", "read="].contains { word.hasPrefix($0) } ? Int(word.drop { !$0.isNumber }) : nil
            }.reduce(0, +)
        }
    }

    /// Each plan written to the server's log.
    private func watching<R>(
        _ world: World, _ body: (Connection) async throws -> R
    ) async throws -> R {
        try await world.owner.withConnection { session in
            for statement: SQL in [
                "load 'auto_explain'", "set auto_explain.log_min_duration = 0", "set auto_explain.log_analyze = on",
                "set auto_explain.log_buffers = on", "set auto_explain.log_nested_statements = on",
            ] {
                try await session.execute(statement)
            }
            return try await body(session)
        }
    }

    @Test func `every leaf is read by its index, in order, and no further than the limit`() async throws {
        try await withOwnServer { world, server in
            try await self.arrange(world)
            try await self.watching(world) { session in
                for leaf in Leaf.all {
                    let plan = try await self.plan(of: leaf, on: session, server)
                    #expect(plan.isInOrder && plan.isKept, "\(leaf): \(plan.text)")
                }
                // A session keeps the plan that it has made.
                try await self.grow(world)
                for leaf in Leaf.all {
                    let plan = try await self.plan(of: leaf, on: session, server)
                    #expect(plan.isInOrder, "\(leaf): \(plan.text)")
                    #expect(plan.pages > 0 && plan.pages < 150, "\(leaf) read \(plan.pages) pages")
                }
                // The measure itself: without its settings a function reads all of its queue and sorts it, and it shows.
                try await self.takeSettingsAway(world, slot: 5)
                for leaf in Leaf.all where leaf.slot == 5 {
                    let plan = try await self.plan(of: leaf, on: session, server)
                    #expect(!plan.isInOrder, "\(leaf): \(plan.text)")
                }
            }
        }
    }

    private func takeSettingsAway(_ world: World, slot: Int) async throws {
        try await world.owner.execute("truncate \(identifier: "queue", "ready_\(slot)")")
        try await self.fill(world, slot, Self.floor + 30_001...Self.floor + 33_000)
        try await world.owner.execute(
            """
            do $$
            declare
                v_function regprocedure;
            begin
                for v_function in
                    select oid::regprocedure from pg_proc
                    where pronamespace = 'queue'::regnamespace and proname in ('claim_5', 'take_5')
                loop
                    execute format('alter function %s reset enable_bitmapscan reset enable_sort', v_function);
                end loop;
            end $$
            """)
    }
}
