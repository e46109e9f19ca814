import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct KeepOrderTests {
    @Test func `what is late goes to the top, once for each clock`() async throws {
        let world = try SupportWorld()
        let token = try await world.token(Staff.ID(world.ids.uuid()), .support)
        let order = world.parts.handlers.order
        try await world.client { client in
            let urgent = try await client.open(try await world.token(), reason: "card-lost")
            let usual = try await client.open(try await world.token())
            func escalations() async throws -> [Int] {
                try await [urgent, usual].asyncMap { ticket in
                    try await Int(world.count("select escalation from support.ticket where ticket_id = \(ticket.id)"))
                }
            }
            try await order.escalate()
            #expect(try await escalations() == [0, 0])
            world.clock.advance(by: .seconds(1801))
            for _ in 0..<2 { try await order.escalate() }
            #expect(try await escalations() == [1, 0])
            world.clock.advance(by: .seconds(4 * 3600))
            for _ in 0..<2 { try await order.escalate() }
            #expect(try await escalations() == [2, 0])
            #expect(try await world.count("select count(*) from support.ticket_event where kind = 'escalated'") == 2)
            // What waits for the customer is not late, however long.
            _ = try await client.ask(
                .put, "/staff/v1/tickets/\(usual.id)/state", #"{"state": "waiting-for-customer"}"#,
                token: try await world.token(Staff.ID(world.ids.uuid()), .support))
            _ = token
            world.clock.advance(by: .seconds(30 * 86_400))
            try await order.escalate()
            #expect(try await escalations().last == 1)
        }
    }

    @Test func `what was resolved is closed after a week, unless the customer writes`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let colleague = try await world.token(staff, .support)
            var tickets: [Ticket.ID] = []
            for _ in 0..<2 {
                let opened = try await client.open(try await world.token())
                _ = try await client.ask(
                    .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Готово", "then": "resolved"}"#,
                    token: colleague)
                tickets.append(opened.id)
            }
            world.clock.advance(by: .seconds(7 * 86_400 - 1))
            try await world.parts.handlers.order.close()
            #expect(try await world.count("select count(*) from support.ticket where state = 'resolved'") == 2)
            _ = try await client.ask(
                .post, "/v1/tickets/\(tickets[0])/messages", #"{"text": "Нет"}"#, token: try await world.token())
            world.clock.advance(by: .seconds(2))
            try await world.parts.handlers.order.close()
            let states = try await world.owner.query("select state from support.ticket order by ticket_id").map {
                try $0.decode(String.self)
            }
            #expect(states == ["reopened", "closed"])
        }
    }

    @Test func `keys, puzzles and letters' names are forgotten in their time`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            _ = try await client.open(try await world.token())
            let letter = "From: anna@example.org\n\nПисьмо"
            #expect(try await world.parts.receive(Array(letter.utf8)) != .ignored)
        }
        try await world.owner.execute(
            "insert into support.used_challenge (nonce, expires_at) values ('\\x00', \(SupportWorld.noon))")
        func rows() async throws -> [Int64] {
            try await world.owner.one(
                """
                select array[
                    (select count(*) from support.idempotency_key), (select count(*) from support.used_challenge),
                    (select count(*) from support.inbound_letter)
                ]
                """
            ).decode([Int64].self)
        }
        try await world.parts.handlers.order.close()
        #expect(try await rows() == [1, 1, 1])
        world.clock.advance(by: .seconds(3 * 86_400))
        try await world.parts.handlers.order.close()
        #expect(try await rows() == [0, 0, 1])
        world.clock.advance(by: .seconds(90 * 86_400))
        try await world.parts.handlers.order.close()
        #expect(try await rows() == [0, 0, 0])
    }
}

extension Sequence {
    /// One after the other.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
