import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct StaffRoutesTests {
    @Test func `only support gets in, and only supervisors decide`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            for role in StaffRole.allCases {
                let token = try await world.token(staff, role)
                let isSupport = role == .support || role == .supervisor
                let status = try await client.ask(.get, "/staff/v1/tickets/\(opened.id)", token: token).status
                #expect(status == (isSupport ? 200 : 403), "\(role)")
                let canned = try await client.ask(
                    .put, "/staff/v1/canned-answers/hello", #"{"title": "t", "ru": "р", "en": "e"}"#, token: token)
                #expect(canned.status == (role == .supervisor ? 200 : 403), "\(role)")
            }
            #expect(try await client.ask(.get, "/staff/v1/tickets").status == 401)
            let member = try await world.token()
            #expect(try await client.ask(.get, "/staff/v1/tickets", token: member).status == 401)
            let colleague = try await world.token(staff, .support)
            #expect(try await client.ask(.get, "/v1/tickets", token: colleague).status == 401)
        }
    }

    @Test func `every look at a ticket is written down`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let token = try await world.token(staff, .support)
            for _ in 0..<2 { _ = try await client.ask(.get, "/staff/v1/tickets/\(opened.id)", token: token) }
            #expect(
                try await world.count(
                    """
                    select count(*) from support.personal_view
                    where staff_id = \(staff) and ticket_id = \(opened.id) and member_id = \(world.member)
                    """) == 2)
        }
    }

    @Test func `a colleague escalates, once, and the log says who and why`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let token = try await world.token(staff, .support)
            let path = "/staff/v1/tickets/\(opened.id)/escalation"
            for level in [2, 1] {
                let body = #"{"level": \#(level), "reason": "Ждёт третий день"}"#
                #expect(try await client.ask(.post, path, body, token: token).status == 201)
            }
            #expect(
                try await world.count("select escalation from support.ticket where ticket_id = \(opened.id)") == 2)
            #expect(
                try await world.count(
                    """
                    select count(*) from support.ticket_event
                    where kind = 'escalated' and staff_id = \(staff) and detail = '2'
                    """) == 1)
            #expect(
                try await world.count(
                    "select count(*) from support.message where is_note and body = 'Ждёт третий день'") == 1)
            for level in [0, 3] {
                let wrong = #"{"level": \#(level), "reason": "x"}"#
                #expect(try await client.ask(.post, path, wrong, token: token).status == 400)
            }
            let resolved = try await client.ask(
                .put, "/staff/v1/tickets/\(opened.id)/state", #"{"state": "resolved"}"#, token: token)
            #expect(resolved.status == 200)
            let late = try await client.ask(.post, path, #"{"level": 2, "reason": "x"}"#, token: token)
            #expect(late.status == 409)
        }
    }

    @Test func `notes are for colleagues only`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let member = try await world.token()
            let opened = try await client.open(member)
            let token = try await world.token(staff, .support)
            let noted = try await client.ask(
                .post, "/staff/v1/tickets/\(opened.id)/notes", #"{"text": "Тайная заметка"}"#, token: token)
            #expect(noted.status == 201)
            #expect(try await !client.ask(.get, "/v1/tickets/\(opened.id)", token: member).text.contains("Тайная"))
            let seen: StaffTicketSeen = try await client.ask(
                .get, "/staff/v1/tickets/\(opened.id)", token: token
            ).read()
            #expect(seen.messages.map(\.note) == [false, true])
            #expect(seen.messages.last?.staff == staff)
            #expect(seen.summary.ticket.state == .new)
        }
        #expect(try await world.count("select count(*) from support.notice") == 0)
    }

    @Test func `while one has a ticket in hand, another is told so`() async throws {
        let world = try SupportWorld()
        let (one, other) = (Staff.ID(world.ids.uuid()), Staff.ID(world.ids.uuid()))
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let path = "/staff/v1/tickets/\(opened.id)"
            let (mine, theirs) = (try await world.token(one, .support), try await world.token(other, .supervisor))
            #expect(try await client.ask(.put, "\(path)/lease", token: mine).status == 200)
            for (method, suffix, body) in [
                (.put, "/lease", nil), (.post, "/answers", #"{"text": "Я отвечу"}"#),
                (.put, "/state", #"{"state": "resolved"}"#),
            ] as [(HTTPRequest.Method, String, String?)] {
                let refused = try await client.ask(method, path + suffix, body, token: theirs)
                #expect(refused.status == 409, "\(suffix)")
                #expect(refused.problem == "ticket-leased")
                #expect(refused.text.contains("\(one)"))
            }
            // Giving back what is not one's own changes nothing.
            #expect(try await client.ask(.delete, "\(path)/lease", token: theirs).status == 204)
            #expect(try await client.ask(.put, "\(path)/lease", token: theirs).status == 409)
            // It runs out by itself, and an answer gives it back.
            world.clock.advance(by: .seconds(120))
            #expect(try await client.ask(.put, "\(path)/lease", token: theirs).status == 200)
            #expect(
                try await client.ask(.post, "\(path)/answers", #"{"text": "Я отвечу"}"#, token: theirs).status == 201)
            #expect(try await client.ask(.put, "\(path)/lease", token: mine).status == 200)
            #expect(try await client.ask(.delete, "\(path)/lease", token: mine).status == 204)
            #expect(try await client.ask(.put, "\(path)/lease", token: theirs).status == 200)
        }
    }

    @Test func `the queue has the most urgent first, and filters`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let member = try await world.token()
            let usual = try await client.open(member)
            let urgent = try await client.open(member, reason: "card-lost")
            let soon = try await client.open(member, reason: "login")
            let token = try await world.token(staff, .support)
            func queue(_ query: String = "") async throws -> [Ticket.ID] {
                var (found, cursor): ([Ticket.ID], String?) = ([], nil)
                repeat {
                    let page: PageSeen<StaffSummarySeen> = try await client.ask(
                        .get, "/staff/v1/tickets?limit=2" + query + (cursor.map { "&cursor=\($0)" } ?? ""),
                        token: token
                    ).read()
                    found += page.items.map(\.ticket.id)
                    cursor = page.next
                } while cursor != nil
                return found
            }
            #expect(try await queue() == [urgent.id, soon.id, usual.id])
            #expect(try await queue("&team=security") == [urgent.id])
            #expect(try await queue("&reason=login") == [soon.id])
            #expect(try await queue("&number=\(usual.number)") == [usual.id])
            #expect(try await queue("&assignee=none").count == 3)
            let path = "/staff/v1/tickets/\(usual.id)"
            _ = try await client.ask(.put, "\(path)/assignment", #"{"assignee": "\#(staff)"}"#, token: token)
            #expect(try await queue("&assignee=\(staff)") == [usual.id])
            let tagged = try await client.ask(.put, "\(path)/tags", #"{"tags": ["вип", "чек", "вип"]}"#, token: token)
            #expect(try tagged.read(StaffSummarySeen.self).tags == ["вип", "чек"])
            #expect(try await queue("&tag=%D0%B2%D0%B8%D0%BF") == [usual.id])
            _ = try await client.ask(.put, "\(path)/state", #"{"state": "resolved"}"#, token: token)
            #expect(try await queue() == [urgent.id, soon.id])
            #expect(try await queue("&state=resolved,closed") == [usual.id])
            world.clock.advance(by: .seconds(1801))
            let later = try await world.token(staff, .support)
            let late: PageSeen<StaffSummarySeen> = try await client.ask(
                .get, "/staff/v1/tickets?late=true", token: later
            ).read()
            #expect(late.items.map(\.ticket.id) == [urgent.id])
            let forged = Base64URL.encode(
                Array(#"{"escalation": 0, "due": "+290000-01-01T00:00:00Z", "id": "\#(usual.id)"}"#.utf8))
            #expect(
                try await client.ask(.get, "/staff/v1/tickets?cursor=\(forged)", token: later).problem
                    == "invalid-cursor")
            for query in ["state=x", "team=x", "assignee=x", "number=x", "late=x", "reason=x", "cursor=x", "limit=0"] {
                #expect(
                    try await client.ask(.get, "/staff/v1/tickets?\(query)", token: later).status == 400, "\(query)")
            }
        }
    }

    @Test func `a call is written down for a member`() async throws {
        let world = try SupportWorld()
        let token = try await world.token(Staff.ID(world.ids.uuid()), .support)
        try await world.client { client in
            let call = try await client.ask(
                .post, "/staff/v1/tickets",
                #"{"reason": "card-lost", "text": "Потерял карту", "member": "\#(world.member)"}"#, token: token)
            #expect(call.status == 201, "\(call.text)")
            let seen: StaffSummarySeen = try call.read()
            #expect(seen.source == "phone")
            let own: TicketSeen = try await client.ask(
                .get, "/v1/tickets/\(seen.ticket.id)", token: try await world.token()
            ).read()
            #expect(own.messages.map(\.text) == ["Потерял карту"])
            // The next call belongs to the same ticket.
            let path = "/staff/v1/tickets/\(seen.ticket.id)"
            _ = try await client.ask(.put, "\(path)/state", #"{"state": "resolved"}"#, token: token)
            let again = try await client.ask(.post, "\(path)/calls", #"{"text": "Нашёл её"}"#, token: token)
            #expect(try again.read(StaffSummarySeen.self).ticket.state == .reopened)
        }
    }

    @Test func `nothing is brought where it cannot go`() async throws {
        let world = try SupportWorld()
        let token = try await world.token(Staff.ID(world.ids.uuid()), .support)
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let path = "/staff/v1/tickets/\(opened.id)"
            for state in ["closed", "new", "reopened"] {
                let refused = try await client.ask(.put, "\(path)/state", #"{"state": "\#(state)"}"#, token: token)
                #expect(refused.problem == "wrong-state", "\(state)")
            }
            for state in ["waiting-for-partner", "resolved", "closed"] {
                let moved = try await client.ask(.put, "\(path)/state", #"{"state": "\#(state)"}"#, token: token)
                #expect(moved.status == 200, "\(state)")
            }
            let over = try await client.ask(.post, "\(path)/answers", #"{"text": "Ещё"}"#, token: token)
            #expect(over.problem == "wrong-state")
        }
    }
}
