import Kernel
import Web

/// A text out of a form: without white space around it, neither empty nor too long, nothing that the database cannot hold.
struct FormText: Decodable, Hashable, Sendable {
    let text: String

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self).trimmed
        guard 1...SupportTicket.textMax ~= text.count, !text.utf8.contains(0) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a text has 1 to \(SupportTicket.textMax) characters"))
        }
        self.text = text
    }
}

/// A question as a form sends it.
struct QuestionBody: Decodable, Sendable {
    let reason: String
    let text: FormText
    let email: EmailAddress?
    let language: Language?
    /// `web` or `app`.
    let source: SupportTicket.Source?
    let store: StoreID?
    let receipt: FiscalID?
    let operation: Identifier<SupportTicket.Operation>?

    /// What is asked, checked against the form of its reason.
    func question(of member: Member.ID?) throws(Problem) -> OpenTicket.Question {
        guard let reason = ReasonTree.reason(self.reason) else { throw Problem(.unknownReason, at: "/reason") }
        let source = self.source ?? .web
        guard source == .web || source == .app else {
            throw Problem(.invalidValue, at: "/source", detail: "web or app")
        }
        let fields: [(need: Reason.Need, isThere: Bool, pointer: String)] = [
            (reason.form.store, self.store != nil, "/store"),
            (reason.form.receipt, self.receipt != nil, "/receipt"),
            (reason.form.operation, self.operation != nil, "/operation"),
        ]
        let missing = fields.filter { $0.need == .required && !$0.isThere }
        guard missing.isEmpty else {
            throw Problem(
                .formIncomplete,
                violations: missing.map { .init(pointer: $0.pointer, code: ProblemKind.formIncomplete.code) })
        }
        return OpenTicket.Question(
            member: member, email: self.email, source: source, reason: reason, text: self.text.text,
            language: self.language ?? .ru,
            links: .init(store: self.store, receipt: self.receipt, operation: self.operation))
    }
}

/// A question of somebody who has not logged in, with the solved puzzle.
struct OpenQuestionBody: Decodable, Sendable {
    let question: QuestionBody
    let proof: Proof

    struct Proof: Decodable, Sendable {
        let challenge: String
        let solution: String
    }

    private enum CodingKeys: String, CodingKey { case proof }

    /// One object: the fields of the question, and `proof`.
    init(from decoder: any Decoder) throws {
        self.question = try QuestionBody(from: decoder)
        self.proof = try decoder.container(keyedBy: CodingKeys.self).decode(Proof.self, forKey: .proof)
    }
}

/// A message of a customer.
struct ReplyBody: Decodable, Sendable { let text: FormText }

/// A mark.
struct RatingBody: Decodable, Sendable {
    let mark: Int16

    func checked() throws(Problem) -> Int16 {
        guard 1...5 ~= self.mark else { throw Problem(.invalidValue, at: "/mark", detail: "1 to 5") }
        return self.mark
    }
}

/// A ticket in a list of its asker.
struct TicketSummary: Encodable, Sendable {
    let id: Ticket.ID
    let number: Int64
    let reason: String
    let subject: String
    let state: TicketState
    let createdAt: Timestamp
    let changedAt: Timestamp
    let firstResponseDue: Timestamp?
    let solutionDue: Timestamp?
    let satisfaction: Int16?

    init(_ ticket: SupportTicket) {
        (self.id, self.number, self.reason) = (ticket.id, ticket.number, ticket.reason.code)
        (self.subject, self.state) = (ticket.subject, ticket.state)
        (self.createdAt, self.changedAt) = (ticket.createdAt, ticket.changedAt)
        (self.firstResponseDue, self.solutionDue) = (ticket.firstResponseDue, ticket.solutionDue)
        self.satisfaction = ticket.satisfaction
    }
}

/// A ticket as its asker sees it: no notes, no evidence, nobody's name.
struct TicketBody: Encodable, Sendable {
    let ticket: TicketSummary
    let store: StoreID?
    let receipt: FiscalID?
    let operation: Identifier<SupportTicket.Operation>?
    let clocks: ClocksBody
    let messages: [MessageBody]
    let photos: [PhotoBody]
    /// Until when the asker can say that it was no solution.
    let reopenableUntil: Timestamp?

    init(_ view: TicketView, _ link: (Photo.ID) -> String) {
        self.ticket = TicketSummary(view.ticket)
        (self.store, self.receipt) = (view.ticket.links.store, view.ticket.links.receipt)
        self.operation = view.ticket.links.operation
        self.clocks = ClocksBody(view.clocks)
        self.messages = view.messages.filter(\.isPublic).map { MessageBody($0, notice: view.notices[$0.id]) }
        self.photos = view.photos.map { PhotoBody($0, url: link($0.id)) }
        self.reopenableUntil =
            view.ticket.state.isOver ? view.ticket.resolvedAt.map { $0 + SupportTicket.reopening } : nil
    }
}

/// The two clocks.
struct ClocksBody: Encodable, Sendable {
    let firstResponseAt: Timestamp?
    let firstResponseDue: Timestamp?
    let firstResponseLate: Bool
    /// Whole seconds that count, until now.
    let solutionSeconds: Int64
    /// nil while the clock stands still.
    let solutionDue: Timestamp?
    let solutionLate: Bool

    init(_ clocks: ServiceClocks) {
        (self.firstResponseAt, self.firstResponseDue) = (clocks.firstResponseAt, clocks.firstResponseDue)
        (self.firstResponseLate, self.solutionLate) = (clocks.isFirstResponseLate, clocks.isSolutionLate)
        (self.solutionSeconds, self.solutionDue) = (clocks.solutionTime.components.seconds, clocks.solutionDue)
    }
}

/// A message as its reader sees it.
struct MessageBody: Encodable, Sendable {
    let id: ThreadMessage.ID
    let author: ThreadMessage.Author
    let text: String
    let createdAt: Timestamp
    /// How the letter or the push that told of it stands.
    let notice: String?

    init(_ message: ThreadMessage, notice: String?) {
        (self.id, self.author, self.text) = (message.id, message.author, message.body)
        (self.createdAt, self.notice) = (message.createdAt, notice)
    }
}

/// A photo and where it can be fetched for five minutes.
struct PhotoBody: Encodable, Sendable {
    let id: Photo.ID
    let contentType: String
    let width: Int32
    let height: Int32
    let url: String
    let createdAt: Timestamp

    init(_ photo: PhotoRecord, url: String) {
        (self.id, self.contentType, self.width, self.height) = (photo.id, photo.contentType, photo.width, photo.height)
        (self.url, self.createdAt) = (url, photo.createdAt)
    }
}

/// A ticket of somebody who has not logged in, and what lets them into it again.
struct OpenedBody: Encodable, Sendable {
    let ticket: TicketSummary
    let key: String
}

/// A branch of the reasons.
struct ReasonGroupBody: Encodable, Sendable {
    let code: String
    let title: Reason.Wording
    let reasons: [ReasonBody]

    struct ReasonBody: Encodable, Sendable {
        let code: String
        let title: Reason.Wording
        let form: Reason.Form
        let targets: Reason.Targets
        /// Whether the system answers it by itself.
        let answeredAutomatically: Bool
    }

    init(_ group: ReasonGroup) {
        (self.code, self.title) = (group.code, group.title)
        self.reasons = group.reasons.map {
            ReasonBody(
                code: $0.code, title: $0.title, form: $0.form, targets: $0.targets,
                answeredAutomatically: $0.evidence != nil)
        }
    }
}
