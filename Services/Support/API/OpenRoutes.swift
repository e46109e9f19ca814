import Hummingbird
import Kernel
import Postgres
import Web

/// The form of the website for whoever has not logged in: a solved puzzle opens a ticket, and the ticket's key opens it
/// again.
struct OpenRoutes: Sendable {
    let customer: CustomerRoutes
    let open: OpenTicket
    let random: RandomBytes
    /// How hard the puzzle is.
    let bits: UInt8
    private let desk = DeskStore()

    init(customer: CustomerRoutes, open: OpenTicket, random: RandomBytes, bits: UInt8) {
        (self.customer, self.open, self.random, self.bits) = (customer, open, random, bits)
    }

    /// A puzzle as a page gets it.
    private struct ChallengeBody: Encodable {
        let challenge: String
        let bits: UInt8
        let expiresAt: Timestamp
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("proof-challenges", use: self.challenge)
        group.post("open-tickets", use: self.open)
        group.get("open-tickets/:key") { _, context in
            let ticket = try self.ticket(context)
            return try await self.customer.read(ticket, by: .bearer(ticket))
        }
        group.post("open-tickets/:key/messages") { request, context in
            let ticket = try self.ticket(context)
            return try await self.customer.reply(
                request, to: ticket, by: .bearer(ticket), principal: "open:\(ticket)")
        }
        group.post("open-tickets/:key/photos") { request, context in
            let ticket = try self.ticket(context)
            return try await self.customer.attach(
                request, to: ticket, by: .bearer(ticket), principal: "open:\(ticket)")
        }
        group.put("open-tickets/:key/rating") { request, context in
            let ticket = try self.ticket(context)
            return try await self.customer.rate(request, ticket, by: .bearer(ticket))
        }
    }

    /// - Throws: `not-found` for a key that is none of ours.
    private func ticket(_ context: ClubRequestContext) throws(Problem) -> Ticket.ID {
        guard let text = context.parameters.get("key"), let key = OpenTicketKey(text, self.customer.keys) else {
            throw Problem(.notFound)
        }
        return key.ticket
    }

    @Sendable private func challenge(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let challenge = ProofChallenge(
            nonce: self.random.next(16), bits: self.bits, expiresAt: self.customer.clock.now + ProofChallenge.lifetime)
        return try .json(
            ChallengeBody(
                challenge: challenge.text(self.customer.keys), bits: challenge.bits, expiresAt: challenge.expiresAt),
            status: .created)
    }

    @Sendable private func open(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(OpenQuestionBody.self, bytes: bytes)
        let question = try body.question.question(of: nil)
        guard question.email != nil else { throw Problem(.emailRequired, at: "/email") }
        let proof = body.proof
        guard let challenge = ProofChallenge(proof.challenge, self.customer.keys),
            challenge.expiresAt >= self.customer.clock.now,
            ProofChallenge.isSolved(proof.challenge, by: proof.solution, bits: challenge.bits)
        else { throw Problem(.proofInvalid, at: "/proof") }
        let principal = "proof:\(Base64URL.encode(challenge.nonce))"
        return try await self.customer.idempotency.answer(request, principal: principal, body: bytes) { transaction in
            guard try await self.desk.use(challenge, in: transaction) else { throw Problem(.proofUsed, at: "/proof") }
            return try await answering {
                let ticket = try await self.open(question, in: transaction)
                return try .json(
                    OpenedBody(
                        ticket: TicketSummary(ticket), key: OpenTicketKey(ticket.id).text(self.customer.keys)),
                    status: .created)
            }
        }
    }
}
