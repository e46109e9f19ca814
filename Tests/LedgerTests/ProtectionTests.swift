import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// What the database itself refuses, whoever asks and however.
@Suite(.ledger) struct ProtectionTests {
    private static let bookTables = [
        "account", "lot_policy", "hold_purpose", "member", "transaction", "posting", "lot", "receipt",
        "refused_receipt", "hold_key", "hold", "part_capture", "maturing", "operation", "receipt_line",
        "receipt_payment", "clawback_policy", "adjustment", "merge", "merged_lot", "reversal", "clearing_item",
        "certificate",
        "campaign", "sticker", "reminder", "seal_key", "seal_block", "audit", "month", "month_balance",
    ]

    /// The tables whose rows are never changed once they are there, with a change that would do no harm.
    private static let appendOnly: [(table: String, change: SQL)] = [
        ("transaction", "update ledger.transaction set subject = subject"),
        ("posting", "update ledger.posting set rule = null"),
        ("receipt", "update ledger.receipt set store = store"),
        ("refused_receipt", "update ledger.refused_receipt set said = said"),
        ("hold_key", "update ledger.hold_key set member_id = member_id"),
        ("part_capture", "update ledger.part_capture set points = points"),
        ("operation", "update ledger.operation set answer = '{}'"),
        ("receipt_payment", "update ledger.receipt_payment set member_id = member_id"),
        ("merge", "update ledger.merge set merged_at = now()"),
        ("merged_lot", "update ledger.merged_lot set from_number = 1"),
        ("reversal", "update ledger.reversal set kind = kind"),
        ("reminder", "update ledger.reminder set points = points"),
    ]

    /// blnkfinance/blnk sql/1781162328.sql: a trigger was fooled by nulls. Here rows have null rules and lots.
    @Test(arguments: Self.appendOnly.indices)
    func `A21 not even the owner can change or delete a row of the books`(index: Int) async throws {
        let books = try await Self.lively()
        let (table, change) = Self.appendOnly[index]
        #expect(try await books.count("select count(*) from \(identifier: "ledger", table)") > 0)
        for statement in [change, "delete from \(identifier: "ledger", table)" as SQL] {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(statement) }
            #expect(refusal?.sqlState == "55000")
        }
    }

    /// Of rows that live on only what the recipes change: each of these changes something else.
    private static let guarded: [(table: String, change: SQL)] = [
        ("maturing", "update ledger.maturing set matures_at = now()"),
        ("receipt_line", "update ledger.receipt_line set earned = earned + 1"),
        ("clearing_item", "update ledger.clearing_item set kopecks = kopecks + 1"),
        ("certificate", "update ledger.certificate set kopecks = kopecks + 1"),
        ("sticker", "update ledger.sticker set campaign = null"),
        ("campaign", "update ledger.campaign set owned = issued"),
        ("adjustment", "update ledger.adjustment set points = points + 1"),
    ]

    @Test(arguments: Self.guarded.indices)
    func `A21 of a row that lives on only what it lives for can change, and it is never deleted`(
        index: Int
    ) async throws {
        let books = try await Self.lively()
        let (table, change) = Self.guarded[index]
        #expect(try await books.count("select count(*) from \(identifier: "ledger", table)") > 0)
        for statement in [change, "delete from \(identifier: "ledger", table)" as SQL] {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(statement) }
            #expect(refusal?.sqlState == "55000")
        }
    }

    @Test(arguments: ["member", "lot", "hold"])
    func `a row that lives on is never deleted`(table: String) async throws {
        let books = try await Self.lively()
        let refusal = await #expect(throws: DatabaseError.self) {
            try await books.owner.execute("delete from \(identifier: "ledger", table)")
        }
        #expect(refusal?.sqlState == "55000")
    }

    @Test func `A21 of a lot only what is left of it can change`() async throws {
        let books = try await Self.lively()
        let changes: [SQL] = [
            "update ledger.lot set amount = amount + 1",
            "update ledger.lot set expires_at = expires_at + interval '1 day'",
            "update ledger.lot set lot_class = 'grace', remaining = 0",
            "update ledger.lot set source = gen_random_uuid()",
        ]
        for change in changes {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(change) }
            #expect(refusal?.sqlState == "55000")
        }
        try await books.owner.execute("update ledger.lot set remaining = 0")
    }

    @Test func `A21 a hold is settled once and keeps what was asked`() async throws {
        let books = try await Self.lively()
        let changes: [SQL] = [
            "update ledger.hold set points = points + 1 where state = 'open'",
            "update ledger.hold set captured = captured - 1 where state = 'open'",
            "update ledger.hold set returned = returned - 1 where returned > 0",
            "update ledger.hold set captured = points, returned = points where state = 'captured'",
            "update ledger.hold set settled_at = null where state = 'captured'",
            "update ledger.hold set state = 'voided', captured = 0 where state = 'captured'",
            "update ledger.hold set placed_by = null where state = 'open'",
        ]
        for change in changes {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(change) }
            #expect(refusal?.sqlState == "55000")
        }
    }

    /// Row triggers do not see TRUNCATE.
    @Test(arguments: Self.bookTables)
    func `no table of the books can be truncated`(table: String) async throws {
        let books = try await Self.lively()
        let refusal = await #expect(throws: DatabaseError.self) {
            try await books.owner.execute("truncate \(identifier: "ledger", table) cascade")
        }
        #expect(refusal?.sqlState == "55000")
    }

    @Test func `no partition can be truncated or changed behind its parent's back`() async throws {
        let books = try await Self.lively()
        let partitions = try await books.owner.query(
            """
            select c.relname::text as name from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
            where i.inhparent in ('ledger.transaction'::regclass, 'ledger.posting'::regclass)
            """
        ).map { try $0.value("name", as: String.self) }
        #expect(partitions.count >= 2 * 24)
        for partition in partitions {
            let refusal = await #expect(throws: DatabaseError.self) {
                try await books.owner.execute("truncate \(identifier: "ledger", partition)")
            }
            #expect(refusal?.sqlState == "55000")
        }
        let now = try #require(partitions.first { $0 == "posting_2026_03" })
        let refusal = await #expect(throws: DatabaseError.self) {
            try await books.owner.execute("update \(identifier: "ledger", now) set amount = 1")
        }
        #expect(refusal?.sqlState == "55000")
    }

    @Test(arguments: Self.bookTables)
    func `the service's role writes no table itself`(table: String) async throws {
        let books = try await Self.lively()
        let name: SQL = "\(identifier: "ledger", table)"
        let statements: [SQL] = [
            "insert into \(fragment: name) default values", "delete from \(fragment: name)",
            "truncate \(fragment: name)",
        ]
        for statement in statements {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.database.execute(statement) }
            #expect(refusal?.code == .insufficientPrivilege)
        }
        let privileges = try await books.owner.one(
            """
            select has_table_privilege('club_ledger', \("ledger." + table), 'insert, update, delete, truncate, trigger')
                or has_any_column_privilege('club_ledger', \("ledger." + table), 'insert, update') as any
            """)
        #expect(try privileges.value("any", as: Bool.self) == false)
    }

    @Test func `another role can neither read the ledger nor run its functions`() async throws {
        let books = try await Self.lively()
        try await books.owner.execute(
            """
            do $$
            begin
                create role club_stranger login;
            exception
                when duplicate_object or unique_violation then null;
            end
            $$
            """)
        let stranger = try TestDatabase.current.database(for: "stranger")
        for statement in ["select * from ledger.member", "select ledger.make_partitions(now(), 1)"] as [SQL] {
            let refusal = await #expect(throws: DatabaseError.self) { try await stranger.execute(statement) }
            #expect(refusal?.code == .insufficientPrivilege)
        }
    }

    @Test func `the service's role runs no inner function`() async throws {
        let books = try await Self.lively()
        let member = books.member()
        let calls: [SQL] = [
            "select ledger.expire_locked(array[\(member)], now())", "select ledger.lock_members(array[\(member)])",
            "select ledger.settle_hold(h, 0, 'voided', now()) from ledger.hold as h",
        ]
        for call in calls {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.database.execute(call) }
            #expect(refusal?.code == .insufficientPrivilege)
        }
    }

    @Test func `a temporary table cannot stand in for one of the books`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.database.transaction { transaction in
            try await transaction.execute(
                "create temporary table member (like ledger.member including all) on commit drop")
            try await transaction.execute("create temporary table lot (like ledger.lot including all) on commit drop")
            let receipt = try books.receipt(of: member, [.of(10)])
            _ = try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction)
        }
        #expect(try await books.available(member) == 10)
    }

    @Test func `no call of a function brings a balance below zero`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let hold: Hold.ID = books.ids.next()
        let until = books.clock.now + .seconds(60)
        let calls: [SQL] = [
            "select ledger.place_hold(\(hold), \(member), -5, 'till', \(until), \(books.clock.now))",
            "select ledger.place_hold(\(hold), \(member), 0, 'till', \(until), \(books.clock.now))",
            "select ledger.place_hold(\(hold), \(member), null, 'till', \(until), \(books.clock.now))",
            "select ledger.place_hold(\(hold), \(member), 5, 'till', \(books.clock.now), \(books.clock.now))",
            "select ledger.place_hold(\(hold), \(member), 5, 'yacht', \(until), \(books.clock.now))",
            "select ledger.end_hold(\(hold), \(member), -5, \(books.clock.now))",
            """
            select ledger.post_receipts(
                \(books.clock.now), array[gen_random_uuid()], array[\(member)], array[1::bigint], array[1::bigint],
                array[1::bigint], array['a'], array[1::bigint], array[now()], array[1::bigint], array[1],
                array['regular'], array[-5::bigint], array['a'])
            """,
            """
            select ledger.post_receipts(
                \(books.clock.now), array[gen_random_uuid()], array[\(member)], array[1::bigint], array[1::bigint],
                array[1::bigint], array['a'], array[1::bigint], array[now()], array[1::bigint], array[1],
                array['grace'], array[5::bigint], array['a'])
            """,
        ]
        for call in calls {
            await #expect(throws: DatabaseError.self) { try await books.database.execute(call) }
        }
        await #expect(throws: DatabaseError.self) {
            try await books.owner.execute("update ledger.member set available = -1")
        }
        #expect(try await books.available(member) == 100)
        #expect(try await books.findings().isEmpty)
    }

    /// Citus distributes by member: then every key of a table that grows must contain the member.
    @Test func `every hot table has the member in its primary key`() async throws {
        let books = try await Books()
        // What the outside names by an id of its own is unique across members, and says so here.
        let naturalKeys = [
            "receipt", "refused_receipt", "hold_key", "part_capture", "operation", "receipt_payment", "adjustment",
            "merge",
            "reversal", "certificate",
        ]
        let settings = ["account", "lot_policy", "hold_purpose", "clawback_policy", "campaign"]
        // About everybody, and few.
        let evidence = ["seal_key", "seal_block", "audit", "month", "ended_session"]
        let without = try await books.owner.query(
            """
            select c.relname::text as name
            from pg_class as c
            join pg_index as i on i.indrelid = c.oid and i.indisprimary
            where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p') and not exists (
                select from pg_attribute as a
                where a.attrelid = c.oid and a.attname = 'member_id' and a.attnum = any (i.indkey))
            """
        ).map { try $0.value("name", as: String.self) }
        #expect(Set(without) == Set(naturalKeys + settings + evidence))
    }

    /// The recipes that are not daily ones.
    private static func enliven(
        _ books: Books, _ member: Member.ID, sale: Receipt.ID, paid: Hold.ID, open: Hold.ID
    ) async throws {
        try await books.openPurposes()
        try await books.openCampaign("plates", days: 30)
        _ = try await books.stickers(3, of: "plates", for: member)
        let later = books.clock.now + .seconds(86_400)
        try await books.post([try books.receipt(of: member, [.of(7, maturing: later)])])
        try await books.apply([
            .capture(
                CaptureHold(part: books.transferID(), of: open, member: member, points: try #require(Points(1)))),
            try books.goods(of: member, sale, lines: [100], holds: [paid], back: [(1, 20)]),
            .issueCertificate(
                IssueCertificate(
                    id: books.transferID(), member: member, kopecks: try #require(Kopecks(20_000)), hold: nil)),
        ])
        try await Self.expireCertificate(books)
        let exchange = try await books.spend(2, for: member, purpose: .partner("s7"), worth: 20)
        _ = try await books.reverse(try exchange.outcome.transaction, of: member)
        try await books.adjust(4, of: member)
        let card = books.member()
        try await books.earn(1, for: card)
        _ = try await books.merge(card, into: member)
        try await books.owner.execute(
            """
            insert into ledger.reminder (member_id, expires_at, days_before, points)
            values (\(member), \(books.clock.now), 7, 5)
            """)
    }

    private static func expireCertificate(_ books: Books) async throws {
        let giver = books.member()
        try await books.earn(2000, for: giver)
        let (hold, certificate) = (books.ids.next(Hold.self), books.transferID())
        try await books.apply([
            .hold(
                PlaceHold(
                    hold: hold, member: giver, points: try #require(Points(2000)), purpose: .certificate,
                    expiresInSeconds: 60)),
            .issueCertificate(
                IssueCertificate(id: certificate, member: giver, kopecks: try #require(Kopecks(20_000)), hold: hold)),
            .expireCertificate(
                ExpireCertificate(id: books.transferID(), member: giver, certificate: certificate)),
        ])
    }

    /// A ledger in which every table has a row and every kind of hold was placed.
    static func lively() async throws -> Books {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(100)])
        let twin = try books.receipt(of: member, [.of(100)], fiscal: receipt.fiscal)
        try await books.post([receipt, twin])
        let holds = (0..<3).map { _ in books.ids.next(Hold.self) }
        for hold in holds { try await books.place(hold, 10, for: member) }
        try await books.capture(holds[0], 5, of: member)
        try await books.void(holds[1], of: member)
        try await Self.enliven(books, member, sale: receipt.receipt, paid: holds[0], open: holds[2])
        return books
    }
}
