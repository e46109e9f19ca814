import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import PartnerSimulator
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import PartnersExchange

/// Whose data it is, and who reaches it.
@Suite(.exchangeDatabase) struct PrivacyTests {
    @Test func `an erased member's numbers are destroyed, and an ended session exchanges nothing`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let id = try await world.exchange("s7-miles", 1000, of: member)
            try await eventually("the order's arrival", isTrue: { !world.book.orders.isEmpty })
            world.book.credit()
            _ = try await world.drive(id, of: member, to: .settled)
            let client = try await world.client(member)
            #expect(try await client.get("/v1/links").text.contains("6782"))
            let auth = try ExchangeWorld.bus("auth", world.owner)
            try await world.owner.transaction { transaction in
                try await auth.publish(MemberErased(member: member, erasedAt: world.clock.now), in: transaction)
                try await auth.publish(
                    SessionEnded(session: Session.ID(member.raw), forgetAt: world.clock.now + .seconds(600)),
                    in: transaction)
            }
            try await eventually("the numbers' end") {
                let left = try await world.owner.one(
                    """
                    select (select count(*) from partners_exchange.link)
                        + (select count(*) from partners_exchange.exchange where number is not null or tail is not null)
                        + (select 1 - count(*) from partners_exchange.ended_session)
                    """
                ).decode(Int64.self)
                return left == 0
            }
            // What the verifier has read of ended sessions may be some seconds old.
            world.clock.advance(by: .seconds(5))
            #expect(try await client.get("/v1/links").status == 401)
        }
    }

    @Test func `a number is nowhere in clear`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            _ = try await world.exchange("s7-miles", 1000, of: member)
            let tables = try await world.owner.query(
                """
                select table_name::text from information_schema.tables
                where table_schema = 'partners_exchange' and table_type = 'BASE TABLE'
                """
            ).map { try $0.decode(String.self) }
            #expect(tables.count >= 10)
            for table in tables {
                let found = try await world.owner.one(
                    """
                    select count(*) from \(identifier: "partners_exchange", table) as t
                    where t::text like '%' || \(ExchangeWorld.s7Number) || '%'
                        or t::text like '%' || \(Self.hexadecimal(ExchangeWorld.s7Number)) || '%'
                    """
                ).decode(Int64.self)
                #expect(found == 0, "\(table)")
            }
        }
    }

    @Test(arguments: ["ledger", "promotions", "auth"] as [ServiceName])
    func `another service's role reads and writes nothing here`(service: ServiceName) async throws {
        let test = try TestDatabase.current
        guard service == "ledger" else {
            // Roles of services whose migrations this database has not: there is nothing that they were granted here.
            let granted = try await test.owner.one(
                """
                select count(*) from information_schema.role_table_grants
                where table_schema = 'partners_exchange' and grantee = \(service.role)
                """
            ).decode(Int64.self)
            #expect(granted == 0)
            return
        }
        for table in ["link", "code", "exchange", "partner", "redemption"] {
            await #expect(throws: DatabaseError.self) {
                try await test.database(for: service).execute(
                    "select from \(identifier: "partners_exchange", table) limit 1")
            }
        }
        for table in ["member", "hold", "transaction"] {
            await #expect(throws: DatabaseError.self) {
                try await test.database(for: "partners_exchange").execute(
                    "select from \(identifier: "ledger", table) limit 1")
            }
        }
    }

    @Test func `steps cannot be changed by the service itself, nor a code be taken twice`() async throws {
        let database = try TestDatabase.current.database(for: "partners_exchange")
        for statement: SQL in [
            "update partners_exchange.redemption_step set state = 'settled'",
            "delete from partners_exchange.redemption_step", "delete from partners_exchange.redemption",
            "update partners_exchange.code set code = ''::bytea", "delete from partners_exchange.code",
            "update partners_exchange.exchange set points = 1",
        ] {
            await #expect(throws: DatabaseError.self) { try await database.execute(statement) }
        }
    }

    private static func hexadecimal(_ text: String) -> String {
        text.utf8.map { String($0, radix: 16) }.joined()
    }
}
