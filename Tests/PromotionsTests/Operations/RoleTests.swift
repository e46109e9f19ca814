import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase) struct RoleTests {
    @Test func `the role of promotions reads no table of another schema`() async throws {
        let test = try TestDatabase.current
        try await test.owner.execute("create schema ledger")
        try await test.owner.execute("create table ledger.balance (member_id uuid, balance bigint)")
        let database = test.database(for: "promotions")
        for statement in [
            "select * from ledger.balance", "delete from ledger.balance", "select * from queue.job",
            "insert into queue.job default values",
        ] as [SQL] {
            let error = await #expect(throws: DatabaseError.self) { _ = try await database.run(statement) }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `what was stored of receipts can be neither changed nor taken away by the role`() async throws {
        let world = try await TillWorld()
        _ = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        for statement in [
            "update promotions.receipt set points = 1000000", "delete from promotions.receipt",
            "update promotions.receipt_line set points = 1", "delete from promotions.receipt_line",
            "delete from promotions.receipt_key", "update promotions.receipt_key set fd = 1",
            "delete from promotions.fraud_event", "truncate promotions.receipt", "delete from promotions.ruleset",
            "drop table promotions.receipt_2026_11", "update promotions.receipt_2026_11 set points = 1",
        ] as [SQL] {
            let error = await #expect(throws: DatabaseError.self) { _ = try await world.database.run(statement) }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `hot tables are keyed by member, so that they can be distributed`() async throws {
        let keys = try await TestDatabase.current.owner.query(
            """
            select indrelid::regclass::text
            from pg_index
            join pg_attribute on attrelid = indrelid and attnum = any (indkey)
            where indisprimary and attname = 'member_id' and indrelid::regclass::text like 'promotions.%'
            order by 1
            """
        ).map { try $0.decode(String.self) }
        let tables = [
            "favourite_category", "favourite_product", "member_level", "member_profile", "receipt", "receipt_line",
            "rule_use", "shopping_list_member",
        ]
        #expect(keys == tables.map { "promotions." + $0 })
    }
}
