import HTTPTypes
import Hummingbird
import Kernel
import Web

/// `POST /v1/inbound-mail`: where the mail server pipes letters to, as they are (RFC 5322).
struct MailRoutes: Sendable {
    let receive: ReceiveLetter
    /// What the mail server shows.
    let key: Secret

    /// What became of a letter. A mail server needs no more than the status: 2xx is done, 4xx bounces, 5xx comes again.
    private struct OutcomeBody: Encodable {
        let outcome: String
        let ticket: Ticket.ID?
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("inbound-mail", use: self.letter)
    }

    @Sendable private func letter(_ request: Request, context: ClubRequestContext) async throws -> Response {
        guard self.isFromMailServer(request) else {
            throw Problem(.mailKeyInvalid, headers: [.wwwAuthenticate: "Bearer"])
        }
        let bytes = try await request.bytes(atMost: InboundLetter.bytesMax, else: .letterTooLarge)
        let (outcome, ticket): (String, Ticket.ID?) =
            switch try await self.receive(bytes) {
            case .added(let ticket): ("added", ticket)
            case .opened(let ticket): ("opened", ticket)
            case .duplicate(let ticket): ("duplicate", ticket)
            case .ignored: ("ignored", nil)
            case .refused: ("refused", nil)
            }
        return try .json(OutcomeBody(outcome: outcome, ticket: ticket))
    }

    /// The time tells nothing but the length.
    private func isFromMailServer(_ request: Request) -> Bool {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else {
            return false
        }
        return ConstantTime.equal(Array(header.utf8.dropFirst("bearer ".utf8.count)), self.key.reveal())
    }
}
