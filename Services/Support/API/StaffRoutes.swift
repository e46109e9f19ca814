import Hummingbird
import Kernel
import Postgres
import Web

/// The queue of tickets and what colleagues do with them.
struct StaffRoutes: Sendable {
    let customer: CustomerRoutes
    let turns: StaffTurns
    let open: OpenTicket
    private let tickets = TicketStore()
    private let desk = DeskStore()

    init(customer: CustomerRoutes, turns: StaffTurns, open: OpenTicket) {
        (self.customer, self.turns, self.open) = (customer, turns, open)
    }

    private var database: Database { self.customer.database }

    /// - Parameter group: behind ``StaffAuthentication`` for support and supervisors.
    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("tickets", use: self.queue)
        group.post("tickets", use: self.call)
        group.get("tickets/:ticket", use: self.show)
        group.put("tickets/:ticket/lease", use: self.lease)
        group.delete("tickets/:ticket/lease", use: self.release)
        group.put("tickets/:ticket/assignment", use: self.assign)
        group.put("tickets/:ticket/tags", use: self.tag)
        group.put("tickets/:ticket/state", use: self.move)
        group.post("tickets/:ticket/answers", use: self.answer)
        group.post("tickets/:ticket/notes", use: self.note)
        group.post("tickets/:ticket/calls", use: self.callAgain)
        group.post("tickets/:ticket/escalation", use: self.escalate)
        group.get("canned-answers") { _, _ in
            let answers = try await self.desk.cannedAnswers(in: self.database)
            return try Response.json(["items": answers.map(CannedAnswerBody.init)])
        }
    }

    @Sendable private func queue(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let page = try PageRequest<TicketStore.QueuePosition>(request, standard: 50)
        let filter = try QueueFilter(request)
        let tickets = try await self.tickets.queue(
            filter, after: page.after, limit: page.limit + 1, now: self.turns.desk.clock.now, in: self.database)
        let entries = try Page(tickets.map(StaffTicketSummary.init), limit: page.limit, position: \.position)
        return try .json(entries)
    }

    /// What was said on the phone.
    @Sendable private func call(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let bytes = try await StrictJSON.read(request)
        let question = try StrictJSON.decode(CallBody.self, bytes: bytes).question(by: staff)
        return try await self.customer.idempotency.answer(request, principal: "staff:\(staff)", body: bytes) {
            transaction in
            try await answering {
                let ticket = try await self.open(question, in: transaction)
                return try .json(StaffTicketSummary(ticket), status: .created)
            }
        }
    }

    @Sendable private func show(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("ticket", of: Ticket.self)
        let view = try await answering { try await self.customer.show(id, toColleague: staff) }
        return try .json(StaffTicketBody(view, self.customer.link))
    }

    @Sendable private func lease(_ request: Request, context: ClubRequestContext) async throws -> Response {
        try await self.changing(context) { id, staff, transaction in
            try await self.turns.lease(id, by: staff, in: transaction)
        }
    }

    @Sendable private func release(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("ticket", of: Ticket.self)
        try await answering {
            try await self.database.transaction { try await self.turns.release(id, by: staff, in: $0) }
        }
        return Answer.empty().response()
    }

    @Sendable private func assign(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let body = try await StrictJSON.decode(AssignmentBody.self, from: request)
        return try await self.changing(context) { id, staff, transaction in
            try await self.turns.assign(id, to: body.assignee, team: body.team, by: staff, in: transaction)
        }
    }

    @Sendable private func tag(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let tags = try await StrictJSON.decode(TagsBody.self, from: request).checked()
        return try await self.changing(context) { id, staff, transaction in
            try await self.turns.tag(id, with: tags, by: staff, in: transaction)
        }
    }

    @Sendable private func move(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let body = try await StrictJSON.decode(StateBody.self, from: request)
        return try await self.changing(context) { id, staff, transaction in
            try await self.turns.move(id, to: body.state, by: staff, in: transaction)
        }
    }

    @Sendable private func answer(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(AnswerBody.self, bytes: bytes)
        return try await self.writing(request, bytes, context) { id, staff, transaction in
            try await self.turns.answer(
                body.text.text, then: body.then ?? .waitingForCustomer, id, by: staff, in: transaction)
        }
    }

    @Sendable private func note(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(ReplyBody.self, bytes: bytes)
        return try await self.writing(request, bytes, context) { id, staff, transaction in
            try await self.turns.note(body.text.text, id, by: staff, in: transaction)
        }
    }

    @Sendable private func callAgain(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(ReplyBody.self, bytes: bytes)
        return try await self.writing(request, bytes, context) { id, staff, transaction in
            try await self.turns.call(body.text.text, id, by: staff, in: transaction)
        }
    }

    @Sendable private func escalate(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(EscalationBody.self, bytes: bytes)
        let level = try body.checked()
        return try await self.writing(request, bytes, context) { id, staff, transaction in
            try await self.turns.escalate(id, to: level, because: body.reason.text, by: staff, in: transaction)
        }
    }

    /// What can be asked again without harm, and so has no key.
    private func changing(
        _ context: ClubRequestContext,
        _ change: (Ticket.ID, Staff.ID, borrowing Transaction) async throws -> SupportTicket
    ) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("ticket", of: Ticket.self)
        let ticket = try await answering {
            try await self.database.transaction { try await change(id, staff, $0) }
        }
        return try .json(StaffTicketSummary(ticket))
    }

    /// What adds to the thread, once for each Idempotency-Key.
    private func writing(
        _ request: Request, _ bytes: [UInt8], _ context: ClubRequestContext,
        _ change: (Ticket.ID, Staff.ID, borrowing Transaction) async throws -> SupportTicket
    ) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("ticket", of: Ticket.self)
        return try await self.customer.idempotency.answer(request, principal: "staff:\(staff)", body: bytes) {
            transaction in
            try await answering {
                try .json(StaffTicketSummary(try await change(id, staff, transaction)), status: .created)
            }
        }
    }
}

extension QueueFilter {
    /// Reads the query: `state` (several with commas), `team`, `assignee` (an id, or `none`), `reason`, `tag`, `member`,
    /// `number`, `late=true`.
    init(_ request: Request) throws(Problem) {
        self.init()
        self.states =
            try request.parameter("state") { text in
                let states = text.split(separator: ",").map { TicketState(rawValue: String($0)) }
                return states.isEmpty || states.contains(nil) ? nil : states.compactMap(\.self)
            } ?? []
        self.team = try request.parameter("team") { Reason.Team(rawValue: $0) }
        self.isUnassigned = request.uri.queryParameters["assignee"] == "none"
        if !self.isUnassigned { self.assignee = try request.parameter("assignee") { Staff.ID($0) } }
        self.reason = try request.parameter("reason") { ReasonTree.reason($0)?.code }
        self.tag = try request.parameter("tag") { 1...40 ~= $0.count && !$0.utf8.contains(0) ? $0 : nil }
        self.member = try request.parameter("member") { Member.ID($0) }
        self.number = try request.parameter("number") { Int64($0) }
        self.isLate = try request.parameter("late") { Bool($0) } ?? false
    }
}

extension Request {
    /// A query parameter; nil when it is not there.
    /// - Throws: `invalid-value` when it is there and cannot be read.
    func parameter<Value>(_ name: String, _ read: (String) -> Value?) throws(Problem) -> Value? {
        guard let text = self.uri.queryParameters[Substring(name)] else { return nil }
        guard let value = read(String(text)) else {
            throw Problem(.invalidValue, detail: "the query parameter \(name) cannot be read")
        }
        return value
    }
}
