import Kernel
import Postgres
import TestSupport
import Testing

@testable import Support

@Suite(.supportDatabase) struct RoleTests {
    @Test func `the role of support can neither rewrite the log nor read who looked, nor touch another schema`()
        async throws
    {
        let test = try TestDatabase.current
        try await test.owner.execute("create schema ledger")
        try await test.owner.execute("create table ledger.balance (member_id uuid, balance bigint)")
        let database = test.database(for: "support")
        for statement in [
            "select * from ledger.balance", "select * from queue.job", "update support.ticket_event set kind = 'x'",
            "delete from support.ticket_event", "select * from support.personal_view",
            "delete from support.personal_view", "delete from support.ticket", "update support.message set body = 'x'",
            "update support.ticket set member_id = null", "update support.correction set member_id = ticket_id",
            "delete from support.correction", "update support.faq_article set answer_ru = 'x'",
            "select support.refresh_faq_words()", "delete from support.notice",
        ] as [SQL] {
            let error = await #expect(throws: DatabaseError.self, "\(statement)") {
                _ = try await database.run(statement)
            }
            #expect(error?.sqlState == "42501", "\(statement)")
        }
    }
}
