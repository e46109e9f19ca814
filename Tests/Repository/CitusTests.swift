import FoundationEssentials
import JobQueue
import Ledger
import Postgres
import Promotions
import TestSupport
import Testing

/// That the hot tables can lie on several servers, by member: the statements of deploy/citus against the tables that the
/// migrations make. What Citus would refuse is looked up in the catalogue, since there is no Citus here.
@Suite(.database(JobQueueMigrations.set, LedgerModule.migrations, PromotionsModule.migrations))
struct CitusTests {
    private enum Placement: Equatable {
        case distributed(by: String, with: String)
        case reference
        case local
    }

    /// What every receipt or payment writes or reads of its member.
    private static let hot: Set<String> = [
        "ledger.member", "ledger.transaction", "ledger.posting", "ledger.lot", "ledger.hold", "ledger.maturing",
        "promotions.receipt", "promotions.receipt_line", "promotions.member_profile", "promotions.rule_use",
    ]

    /// What the files say, by table; a table that is named twice has the last word, and is counted.
    private func placements() throws -> (byTable: [String: Placement], count: Int) {
        var placements: [String: Placement] = [:]
        var count = 0
        for file in ["ledger", "promotions"] {
            for line in try SourceTree.text("deploy/citus/\(file).sql").split(separator: "\n")
            where !line.hasPrefix("--") {
                let quoted = line.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
                let table = try #require(quoted.count > 2 ? quoted[1] : nil, "\(line)")
                count += 1
                if line.hasPrefix("select create_distributed_table(") {
                    placements[table] = .distributed(
                        by: quoted.count > 3 ? quoted[3] : "", with: quoted.count > 5 ? quoted[5] : table)
                } else if line.hasPrefix("select create_reference_table(") {
                    placements[table] = .reference
                } else {
                    try #require(line.hasPrefix("select citus_add_local_table_to_metadata("), "\(line)")
                    placements[table] = .local
                }
            }
        }
        return (placements, count)
    }

    @Test func `every table of the two has one place, and the hot ones are distributed together, by member`()
        async throws
    {
        let (placements, count) = try self.placements()
        #expect(placements.count == count, "a table is named twice")
        let database = try TestDatabase.current
        let rows = try await database.owner.query(
            """
            select c.relnamespace::regnamespace || '.' || c.relname as name
            from pg_class c
            where c.relnamespace in ('ledger'::regnamespace, 'promotions'::regnamespace) and c.relkind in ('r', 'p')
                and not c.relispartition
            """)
        let tables = try rows.map { try $0.decode(String.self) }
        #expect(Set(tables) == Set(placements.keys))
        for table in Self.hot {
            #expect(placements[table] == .distributed(by: "member_id", with: "ledger.member"), "\(table)")
        }
    }

    @Test func `a distributed table has the member in every key, never null`() async throws {
        let placements = try self.placements().byTable
        let database = try TestDatabase.current
        var checked = 0
        for (table, placement) in placements {
            guard case .distributed(let column, _) = placement else { continue }
            let row = try await database.owner.one(
                """
                select a.attnotnull as is_required,
                    (select count(*) from pg_index i where i.indrelid = a.attrelid and i.indisunique) as keys,
                    (select count(*) from pg_index i
                        where i.indrelid = a.attrelid and i.indisunique
                            and not a.attnum = any (i.indkey::int2[])) as keys_without
                from pg_attribute a
                where a.attrelid = \(table)::text::regclass and a.attname = \(column)
                """)
            #expect(try row.value("is_required", as: Bool.self), "\(table).\(column) may be null")
            #expect(try row.value("keys", as: Int64.self) > 0, "\(table) has no key")
            #expect(try row.value("keys_without", as: Int64.self) == 0, "a key of \(table) has no \(column)")
            checked += 1
        }
        #expect(checked >= Self.hot.count)
    }

    @Test func `references lead to where they can be checked`() async throws {
        let placements = try self.placements().byTable
        let database = try TestDatabase.current
        let rows = try await database.owner.query(
            """
            select c.conrelid::regclass::text as source, c.confrelid::regclass::text as target,
                array(select a.attname::text from unnest(c.conkey) with ordinality k(n, i)
                    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.i) as columns,
                array(select a.attname::text from unnest(c.confkey) with ordinality k(n, i)
                    join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.i) as targets
            from pg_constraint c
            where c.contype = 'f' and c.conparentid = 0
                and c.connamespace in ('ledger'::regnamespace, 'promotions'::regnamespace)
            """)
        #expect(rows.count > 5)
        for row in rows {
            let (source, target) = (
                try row.value("source", as: String.self), try row.value("target", as: String.self)
            )
            let columns = try row.value("columns", as: [String].self)
            let targets = try row.value("targets", as: [String].self)
            switch (placements[source], placements[target]) {
            // Every node has a copy.
            case (_, .reference?): break
            case (.distributed(let column, let group)?, .distributed(let other, let otherGroup)?):
                let isTogether = zip(columns, targets).contains { $0 == (column, other) } && group == otherGroup
                #expect(isTogether, "\(source) refers to \(target) on other nodes")
            // Both on the coordinator.
            case (.local?, .local?): break
            default: Issue.record("\(source) cannot refer to \(target)")
            }
        }
    }
}
