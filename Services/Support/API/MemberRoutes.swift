import Hummingbird
import Kernel
import Postgres
import Web

/// A member's own tickets. Somebody else's is answered exactly like one that does not exist.
struct MemberRoutes: Sendable {
    let customer: CustomerRoutes
    let open: OpenTicket
    private let tickets = TicketStore()

    init(customer: CustomerRoutes, open: OpenTicket) { (self.customer, self.open) = (customer, open) }

    /// - Parameter group: behind ``MemberAuthentication``.
    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("tickets", use: self.open)
        group.get("tickets", use: self.list)
        group.get("tickets/:ticket") { _, context in
            let member = try context.requireMember().member
            return try await self.customer.read(try context.id("ticket"), by: .member(member))
        }
        group.post("tickets/:ticket/messages") { request, context in
            let member = try context.requireMember().member
            return try await self.customer.reply(
                request, to: try context.id("ticket"), by: .member(member), principal: Self.principal(member))
        }
        group.post("tickets/:ticket/photos") { request, context in
            let member = try context.requireMember().member
            return try await self.customer.attach(
                request, to: try context.id("ticket"), by: .member(member), principal: Self.principal(member))
        }
        group.put("tickets/:ticket/rating") { request, context in
            let member = try context.requireMember().member
            return try await self.customer.rate(request, try context.id("ticket"), by: .member(member))
        }
    }

    /// Whose idempotency keys they are.
    static func principal(_ member: Member.ID) -> String { "member:\(member)" }

    @Sendable private func open(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let bytes = try await StrictJSON.read(request)
        let question = try StrictJSON.decode(QuestionBody.self, bytes: bytes).question(of: member)
        return try await self.customer.idempotency.answer(request, principal: Self.principal(member), body: bytes) {
            transaction in
            try await answering {
                try .json(TicketSummary(try await self.open(question, in: transaction)), status: .created)
            }
        }
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let page = try PageRequest<Ticket.ID>(request)
        let tickets = try await self.tickets.page(
            of: member, before: page.after, limit: page.limit + 1, in: self.customer.database)
        return try .json(try Page(tickets.map(TicketSummary.init), limit: page.limit, position: \.id))
    }
}
