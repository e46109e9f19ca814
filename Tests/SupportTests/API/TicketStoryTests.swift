import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct TicketStoryTests {
    @Test func `a question is asked, answered, resolved, reopened and marked`() async throws {
        let world = try SupportWorld()
        let (member, staff) = (try await world.token(), Staff.ID(world.ids.uuid()))
        let colleague = try await world.token(staff, .support)
        try await world.client { client in
            let opened = try await client.open(member)
            #expect(opened.number == 1001)
            #expect(opened.state == .new)
            #expect(opened.firstResponseDue == SupportWorld.noon + .seconds(8 * 3600))
            let staffPath = "/staff/v1/tickets/\(opened.id)"
            world.clock.advance(by: .seconds(3600))
            let answered = try await client.ask(
                .post, "\(staffPath)/answers", #"{"text": "Пришлите, пожалуйста, чек."}"#, token: colleague)
            #expect(answered.status == 201, "\(answered.text)")
            let summary: StaffSummarySeen = try answered.read()
            #expect(summary.ticket.state == .waitingForCustomer)
            #expect(summary.assignee == staff)
            #expect(summary.ticket.solutionDue == nil)
            let replied = try await client.ask(
                .post, "/v1/tickets/\(opened.id)/messages", #"{"text": "Вот он."}"#, token: member)
            #expect(try replied.read(SummarySeen.self).state == .open)
            let solved = try await client.ask(
                .post, "\(staffPath)/answers", #"{"text": "Исправили.", "then": "resolved"}"#, token: colleague)
            #expect(try solved.read(StaffSummarySeen.self).ticket.state == .resolved)

            let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: member).read()
            #expect(seen.messages.map(\.author) == ["customer", "staff", "customer", "staff"])
            #expect(seen.clocks.solutionSeconds == 3600)
            #expect(seen.clocks.firstResponseAt == SupportWorld.noon + .seconds(3600))
            #expect(seen.reopenableUntil == world.clock.now + .seconds(14 * 86_400))

            let marked = try await client.ask(.put, "/v1/tickets/\(opened.id)/rating", #"{"mark": 2}"#, token: member)
            #expect(try marked.read(SummarySeen.self).satisfaction == 2)
            world.clock.advance(by: .seconds(14 * 86_400))
            let late = try await world.token()
            let again = try await client.ask(
                .post, "/v1/tickets/\(opened.id)/messages", #"{"text": "Не исправили."}"#, token: late)
            #expect(try again.read(SummarySeen.self).state == .reopened)
        }
    }

    @Test func `after 14 days a new ticket is needed`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            _ = try await client.ask(
                .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Готово", "then": "resolved"}"#,
                token: try await world.token(staff, .support))
            world.clock.advance(by: .seconds(14 * 86_400 + 1))
            let late = try await client.ask(
                .post, "/v1/tickets/\(opened.id)/messages", #"{"text": "Но нет"}"#, token: try await world.token())
            #expect(late.status == 409)
            #expect(late.problem == "ticket-closed")
        }
    }

    @Test func `somebody else's ticket is answered exactly like one that does not exist`() async throws {
        let world = try SupportWorld()
        let stranger = try await world.token(world.stranger)
        try await world.client { client in
            let opened = try await client.open(try await world.token())
            let other = Ticket.ID(world.ids.uuid())
            for (method, suffix, body) in [
                (.get, "", nil), (.post, "/messages", #"{"text": "x"}"#), (.put, "/rating", #"{"mark": 5}"#),
                (.post, "/photos", "x"),
            ] as [(HTTPRequest.Method, String, String?)] {
                let foreign = try await client.ask(method, "/v1/tickets/\(opened.id)\(suffix)", body, token: stranger)
                let unknown = try await client.ask(method, "/v1/tickets/\(other)\(suffix)", body, token: stranger)
                #expect(foreign.status == 404, "\(suffix)")
                #expect(foreign.text == unknown.text)
            }
            let list: PageSeen<SummarySeen> = try await client.ask(.get, "/v1/tickets", token: stranger).read()
            #expect(list.items.isEmpty)
        }
        #expect(try await world.count("select count(*) from support.message") == 1)
    }

    @Test func `a repeated request opens one ticket`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            let body = #"{"reason": "thanks", "text": "Спасибо"}"#
            let first = try await client.ask(.post, "/v1/tickets", body, token: token, key: "1")
            let second = try await client.ask(.post, "/v1/tickets", body, token: token, key: "1")
            #expect(first.text == second.text)
            let otherwise = try await client.ask(
                .post, "/v1/tickets", #"{"reason": "thanks", "text": "!"}"#, token: token, key: "1")
            #expect(otherwise.problem == "idempotency-key-reused")
        }
        #expect(try await world.count("select count(*) from support.ticket") == 1)
    }

    @Test func `the form of a reason is asked for, and wrong fields are named`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            for (body, problem) in [
                (#"{"reason": "points-missing", "text": "где?"}"#, "form-incomplete"),
                (#"{"reason": "price", "text": "дорого"}"#, "form-incomplete"),
                (#"{"reason": "nothing", "text": "где?"}"#, "unknown-reason"),
                (#"{"reason": "thanks", "text": "   "}"#, "invalid-value"),
                (#"{"reason": "thanks", "text": "a\u0000b"}"#, "malformed-json"),
                (#"{"reason": "thanks", "text": "спасибо", "source": "phone"}"#, "invalid-value"),
                (#"{"reason": "thanks", "text": "спасибо", "email": "никто"}"#, "invalid-value"),
                (#"{"reason": "thanks", "text": "спасибо", "member": "x"}"#, "unknown-field"),
                (#"{"reason": "thanks", "text": "\#(String(repeating: "ы", count: 5001))"}"#, "invalid-value"),
            ] {
                let answer = try await client.ask(.post, "/v1/tickets", body, token: token)
                #expect(answer.problem == problem, "\(body.prefix(60)) \(answer.text)")
            }
        }
        #expect(try await world.count("select count(*) from support.ticket") == 0)
    }

    @Test func `so many tickets a day and no more`() async throws {
        let world = try SupportWorld()
        let token = try await world.token()
        try await world.client { client in
            for _ in 0..<20 { _ = try await client.open(token) }
            let more = try await client.ask(
                .post, "/v1/tickets", #"{"reason": "thanks", "text": "ещё"}"#, token: token)
            #expect(more.status == 429)
            #expect(more.problem == "too-many-tickets")
            _ = try await client.open(try await world.token(world.stranger))
            // Page by page, the newest first.
            var (numbers, cursor): ([Int64], String?) = ([], nil)
            repeat {
                let page: PageSeen<SummarySeen> = try await client.ask(
                    .get, "/v1/tickets?limit=7" + (cursor.map { "&cursor=\($0)" } ?? ""), token: token
                ).read()
                numbers += page.items.map(\.number)
                cursor = page.next
            } while cursor != nil
            #expect(numbers == Array((1001...1020).reversed()))
        }
    }
}
