import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct MissingPointsTests {
    private let neighbours = Neighbours()

    /// Opens a ticket about a receipt and waits for the system's answer.
    private func answered(
        _ client: any TestClientProtocol, _ world: SupportWorld
    ) async throws -> TicketSeen {
        let token = try await world.token()
        let opened = try await client.open(
            token, reason: "points-missing", extra: #", "receipt": \#(SupportWorld.receipt)"#)
        return try await eventually("the system answers") {
            let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).read()
            return seen.messages.count > 1 ? seen : nil
        }
    }

    @Test func `a receipt that has earned is explained, and the clock of the first answer stops`() async throws {
        let world = try SupportWorld()
        self.neighbours.explains(.credited, points: 22, isPosted: true)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen = try await self.answered(client, world)
                #expect(seen.messages.map(\.author) == ["customer", "system"])
                #expect(seen.messages.last?.text.contains("принёс 22 баллов") == true)
                #expect(seen.messages.last?.text.contains("Хлеб: 22 балла") == true)
                #expect(seen.ticket.state == .waitingForCustomer)
                #expect(seen.clocks.firstResponseAt == SupportWorld.noon)
            }
        }
        #expect(try await world.count("select count(*) from support.correction") == 0)
    }

    @Test(arguments: [ExplainReceipt.Finding.unknown, .foreign, .credited])
    func `what is not settled stays with a colleague, or is on its way`(finding: ExplainReceipt.Finding) async throws {
        let world = try SupportWorld()
        self.neighbours.explains(finding, points: finding == .credited ? 22 : nil)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen = try await self.answered(client, world)
                #expect(seen.ticket.state == (finding == .credited ? .waitingForCustomer : .open))
                let staff = try await world.token(Staff.ID(world.ids.uuid()), .support)
                let whole: StaffTicketSeen = try await client.ask(
                    .get, "/staff/v1/tickets/\(seen.ticket.id)", token: staff
                ).read()
                #expect(whole.messages.last?.evidence?.finding == finding)
                #expect(whole.corrections.isEmpty)
            }
        }
    }

    /// The job is done twice when its worker dies behind the deed.
    @Test func `asked twice the system answers once`() async throws {
        let world = try SupportWorld()
        self.neighbours.explains(.withoutCard, points: 22)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen = try await self.answered(client, world)
                for _ in 0..<2 { try await world.parts.handlers.answer(seen.ticket.id) }
            }
        }
        #expect(self.neighbours.questions == 3)
        #expect(try await world.count("select count(*) from support.message") == 2)
        #expect(try await world.count("select count(*) from support.correction") == 1)
    }

    @Test func `a receipt without a card is drafted, asked for by one and granted by another`() async throws {
        let world = try SupportWorld()
        self.neighbours.explains(.withoutCard, points: 22)
        let (maker, checker) = (Staff.ID(world.ids.uuid()), Staff.ID(world.ids.uuid()))
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let id = try await self.answered(client, world).ticket.id
                let mine = try await world.token(maker, .support, .supervisor)
                let theirs = try await world.token(checker, .supervisor)
                let whole: StaffTicketSeen = try await client.ask(.get, "/staff/v1/tickets/\(id)", token: mine).read()
                let draft = try #require(whole.corrections.first)
                #expect(draft.state == "draft" && draft.points == 22 && draft.maker == nil)
                #expect(self.neighbours.transfers.isEmpty)

                let wish = #"{"points": 22, "reason": "Чек без карты"}"#
                for _ in 0..<2 {
                    let asked = try await client.ask(
                        .post, "/staff/v1/tickets/\(id)/corrections", wish, token: mine)
                    let correction: CorrectionSeen = try asked.read()
                    #expect(correction.id == draft.id && correction.state == "requested")
                }
                #expect(self.neighbours.transfers.count == 1)
                let path = "/staff/v1/corrections/\(draft.id)/decision"
                let own = try await client.ask(.put, path, #"{"approves": true}"#, token: mine)
                #expect(own.problem == "same-person")
                let list: PageSeen<CorrectionSeen> = try await client.ask(
                    .get, "/staff/v1/corrections", token: theirs
                ).read()
                #expect(list.items.map(\.id) == [draft.id])
                for _ in 0..<2 {
                    let decided = try await client.ask(.put, path, #"{"approves": true}"#, token: theirs)
                    #expect(try decided.read(CorrectionSeen.self).state == "approved", "\(decided.text)")
                }
                #expect(self.neighbours.transfers.count == 2)
                let other = try await client.ask(.put, path, #"{"approves": false}"#, token: theirs)
                #expect(other.problem == "correction-state")
                let seen: TicketSeen = try await client.ask(
                    .get, "/v1/tickets/\(id)", token: try await world.token()
                ).read()
                #expect(seen.messages.last?.text == "Мы начислили на ваш счёт 22 баллов.")
            }
        }
    }

    @Test func `what the ledger refuses is written down, and another can be asked for`() async throws {
        let world = try SupportWorld()
        let maker = Staff.ID(world.ids.uuid())
        self.neighbours.refuses(.unknownMember)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let opened = try await client.open(try await world.token())
                let path = "/staff/v1/tickets/\(opened.id)/corrections"
                let token = try await world.token(maker, .support)
                let body = #"{"points": -5, "reason": "Лишнее"}"#
                let refused: CorrectionSeen = try await client.ask(.post, path, body, token: token).read()
                #expect(refused.state == "refused" && refused.refusal == "unknown-member")
                self.neighbours.refuses(nil)
                let asked: CorrectionSeen = try await client.ask(.post, path, body, token: token).read()
                #expect(asked.state == "requested" && asked.id != refused.id)
                let second = try await client.ask(.post, path, #"{"points": 7, "reason": "Ещё"}"#, token: token)
                #expect(second.problem == "correction-open")
                for points in ["0", "1000001", "-1000001", "1.5"] {
                    let wrong = try await client.ask(
                        .post, path, #"{"points": \#(points), "reason": "x"}"#, token: token)
                    #expect(wrong.status == 400, "\(points)")
                }
            }
        }
    }

    /// Whoever gets past the code: the table refuses the same person twice.
    @Test func `the table itself wants four eyes`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let opened = try await client.open(try await world.token())
                _ = try await client.ask(
                    .post, "/staff/v1/tickets/\(opened.id)/corrections", #"{"points": 5, "reason": "x"}"#,
                    token: try await world.token(staff, .support))
            }
        }
        let error = await #expect(throws: DatabaseError.self) {
            try await world.owner.execute(
                "update support.correction set checker = maker, approves = true, state = 'approved'")
        }
        #expect(error?.constraint == "correction_four_eyes")
    }
}
