import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct InboundMailTests {
    private struct OutcomeSeen: Decodable {
        let outcome: String
        let ticket: Ticket.ID?
    }

    private func deliver(
        _ bytes: [UInt8], _ client: any TestClientProtocol, key: String = SupportWorld.mailKey
    ) async throws -> Answered {
        try await client.send(.post, "/v1/inbound-mail", bytes, type: "message/rfc822", token: key)
    }

    /// A fixture that goes to the ticket's own address.
    private func letter(_ name: String, to ticket: Ticket.ID) throws -> [UInt8] {
        let address = ReplyAddress(ticket).address(domain: SupportWorld.domain, SupportWorld.keys)
        let text = String(decoding: try SupportWorld.fixture("\(name).eml"), as: UTF8.self)
        return Array(text.replacing("reply@test.invalid", with: try #require(address).address).utf8)
    }

    @Test(arguments: ["plain", "page", "both", "windows", "koi"])
    func `a letter to the signed address goes into its ticket, once`(name: String) async throws {
        let world = try SupportWorld()
        let (token, staff) = (try await world.token(), Staff.ID(world.ids.uuid()))
        try await world.client { client in
            let opened = try await client.open(token)
            _ = try await client.ask(
                .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Пришли?"}"#,
                token: try await world.token(staff, .support))
            let bytes = try self.letter(name, to: opened.id)
            for outcome in ["added", "duplicate", "duplicate"] {
                let seen: OutcomeSeen = try await self.deliver(bytes, client).read()
                #expect(seen.outcome == outcome && seen.ticket == opened.id)
            }
            let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).read()
            #expect(seen.ticket.state == .open)
            #expect(seen.messages.count == 3)
            #expect(seen.messages.last?.text.hasPrefix("Спасибо! Баллы пришли") == true)
            #expect(seen.messages.last?.text.contains("зачислен") == false)
            if LibVips.isInstalled { #expect(seen.photos.count == (name == "both" ? 1 : 0)) }
        }
    }

    @Test func `an address that was not signed by us is no way into a ticket`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let forged = SupportKeys(Secret([UInt8](repeating: 0x77, count: 32)))
            let address = try #require(ReplyAddress(opened.id).address(domain: SupportWorld.domain, forged)).address
            let text = String(decoding: try SupportWorld.fixture("plain.eml"), as: UTF8.self)
            let seen: OutcomeSeen = try await self.deliver(
                Array(text.replacing("reply@test.invalid", with: address).utf8), client
            ).read()
            // It is a letter to support all the same: of its own ticket.
            #expect(seen.outcome == "opened")
            #expect(seen.ticket != opened.id)
        }
        #expect(try await world.count("select count(*) from support.message") == 2)
        #expect(try await world.count("select count(*) from support.ticket where member_id is null") == 1)
    }

    @Test func `only the mail server delivers`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            let bytes = try SupportWorld.fixture("fresh.eml")
            let wrong = try await self.deliver(bytes, client, key: String(SupportWorld.mailKey.dropLast()) + "x")
            #expect(wrong.status == 401 && wrong.problem == "mail-key-invalid")
            let none = try await client.send(.post, "/v1/inbound-mail", bytes, type: "message/rfc822")
            #expect(none.status == 401)
            let member = try await self.deliver(bytes, client, key: try await world.token())
            #expect(member.status == 401)
        }
        #expect(try await world.count("select count(*) from support.ticket") == 0)
    }

    @Test func `a letter to nobody in particular opens a ticket, a machine's does nothing`() async throws {
        let world = try SupportWorld()
        let token = try await world.token(Staff.ID(world.ids.uuid()), .support)
        try await world.client { client in
            let opened: OutcomeSeen = try await self.deliver(try SupportWorld.fixture("fresh.eml"), client).read()
            #expect(opened.outcome == "opened")
            let ticket = try #require(opened.ticket)
            let seen: StaffTicketSeen = try await client.ask(.get, "/staff/v1/tickets/\(ticket)", token: token).read()
            #expect(seen.summary.source == "email")
            #expect(seen.summary.email == "a***@example.org")
            #expect(seen.summary.ticket.subject.hasPrefix("Как вернуть баллы"))
            #expect(seen.messages.map(\.message.text) == ["Здравствуйте!\nКефир оказался просрочен."])
            let ignored: OutcomeSeen = try await self.deliver(try SupportWorld.fixture("automatic.eml"), client).read()
            #expect(ignored.outcome == "ignored")
            let nameless: OutcomeSeen = try await self.deliver(Array("Subject: x\n\ntext".utf8), client).read()
            #expect(nameless.outcome == "refused")
        }
        #expect(try await world.count("select count(*) from support.ticket") == 1)
    }

    @Test func `a letter that comes too late opens a new ticket`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            _ = try await client.ask(
                .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Готово", "then": "resolved"}"#,
                token: try await world.token(staff, .support))
            world.clock.advance(by: .seconds(15 * 86_400))
            let seen: OutcomeSeen = try await self.deliver(try self.letter("plain", to: opened.id), client).read()
            #expect(seen.outcome == "opened")
            #expect(seen.ticket != opened.id)
        }
    }
}
