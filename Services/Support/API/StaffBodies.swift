import Kernel
import Web

/// A ticket as colleagues see it in the queue. Where answers go is masked.
struct StaffTicketSummary: Encodable, Sendable {
    let ticket: TicketSummary
    let member: Member.ID?
    let email: String?
    let source: SupportTicket.Source
    let team: Reason.Team
    let assignee: Staff.ID?
    let tags: [String]
    let escalation: Int16
    let lease: LeaseBody?

    /// Where the queue goes on after it.
    var position: TicketStore.QueuePosition {
        let due = [self.ticket.firstResponseDue, self.ticket.solutionDue].compactMap(\.self).min()
        return TicketStore.QueuePosition(
            escalation: self.escalation, due: due ?? SupportTicket.never, id: self.ticket.id)
    }

    init(_ ticket: SupportTicket) {
        self.ticket = TicketSummary(ticket)
        (self.member, self.email, self.source) = (ticket.member, ticket.email?.description, ticket.source)
        (self.team, self.assignee, self.tags) = (ticket.team, ticket.assignee, ticket.tags)
        (self.escalation, self.lease) = (ticket.escalation, ticket.lease.map(LeaseBody.init))
    }
}

/// Who has a ticket in hand.
struct LeaseBody: Encodable, Sendable {
    let holder: Staff.ID
    let until: Timestamp

    init(_ lease: SupportTicket.Lease) { (self.holder, self.until) = (lease.holder, lease.until) }
}

/// A ticket as colleagues see it, whole.
struct StaffTicketBody: Encodable, Sendable {
    let summary: StaffTicketSummary
    let store: StoreID?
    let receipt: FiscalID?
    let operation: Identifier<SupportTicket.Operation>?
    let clocks: ClocksBody
    let messages: [StaffMessageBody]
    let photos: [PhotoBody]
    let events: [EventBody]
    let corrections: [CorrectionBody]

    init(_ view: TicketView, _ link: (Photo.ID) -> String) {
        self.summary = StaffTicketSummary(view.ticket)
        (self.store, self.receipt) = (view.ticket.links.store, view.ticket.links.receipt)
        self.operation = view.ticket.links.operation
        self.clocks = ClocksBody(view.clocks)
        self.messages = view.messages.map { StaffMessageBody($0, notice: view.notices[$0.id]) }
        self.photos = view.photos.map { PhotoBody($0, url: link($0.id)) }
        self.events = view.events.map(EventBody.init)
        self.corrections = view.corrections.map(CorrectionBody.init)
    }
}

/// A message with what only colleagues see.
struct StaffMessageBody: Encodable, Sendable {
    let message: MessageBody
    let note: Bool
    let staff: Staff.ID?
    let evidence: ReceiptEvidence?

    init(_ message: ThreadMessage, notice: String?) {
        self.message = MessageBody(message, notice: notice)
        (self.note, self.staff, self.evidence) = (message.isNote, message.staff, message.evidence)
    }
}

/// Something that happened.
struct EventBody: Encodable, Sendable {
    let kind: TicketEvent.Kind
    let state: TicketState
    let at: Timestamp
    let staff: Staff.ID?
    let detail: String?

    init(_ event: TicketEvent) {
        (self.kind, self.state, self.at) = (event.kind, event.state, event.at)
        (self.staff, self.detail) = (event.staff, event.detail)
    }
}

/// A correction of points.
struct CorrectionBody: Encodable, Sendable {
    let id: Correction.ID
    let ticket: Ticket.ID
    let member: Member.ID
    let points: Int64
    let reason: String
    let state: Correction.State
    let maker: Staff.ID?
    let checker: Staff.ID?
    let refusal: String?
    let createdAt: Timestamp

    init(_ correction: Correction) {
        (self.id, self.ticket, self.member) = (correction.id, correction.ticket, correction.member)
        (self.points, self.reason, self.state) = (correction.points, correction.reason, correction.state)
        (self.maker, self.checker) = (correction.maker, correction.checker)
        (self.refusal, self.createdAt) = (correction.refusal, correction.createdAt)
    }
}

/// A call that a colleague writes down.
struct CallBody: Decodable, Sendable {
    let reason: String
    let text: FormText
    let member: Member.ID?
    let email: EmailAddress?
    let language: Language?
    let store: StoreID?
    let receipt: FiscalID?
    let operation: Identifier<SupportTicket.Operation>?

    func question(by staff: Staff.ID) throws(Problem) -> OpenTicket.Question {
        guard let reason = ReasonTree.reason(self.reason) else { throw Problem(.unknownReason, at: "/reason") }
        return OpenTicket.Question(
            member: self.member, email: self.email, source: .phone, reason: reason, text: self.text.text,
            language: self.language ?? .ru,
            links: .init(store: self.store, receipt: self.receipt, operation: self.operation), staff: staff)
    }
}

/// An answer, and how the ticket stands then; without it the customer is waited for.
struct AnswerBody: Decodable, Sendable {
    let text: FormText
    let then: TicketState?
}

/// How high a colleague brings a ticket, and why.
struct EscalationBody: Decodable, Sendable {
    let level: Int16
    let reason: FormText

    func checked() throws(Problem) -> Int16 {
        guard 1...2 ~= self.level else { throw Problem(.invalidValue, at: "/level", detail: "1 or 2") }
        return self.level
    }
}

/// Where a ticket is brought.
struct StateBody: Decodable, Sendable { let state: TicketState }

/// To whom a ticket is given; without an assignee to nobody.
struct AssignmentBody: Decodable, Sendable {
    let assignee: Staff.ID?
    let team: Reason.Team?
}

/// A ticket's tags.
struct TagsBody: Decodable, Sendable {
    let tags: [String]

    func checked() throws(Problem) -> [String] {
        guard self.tags.count <= 20 else { throw Problem(.invalidValue, at: "/tags", detail: "at most 20 tags") }
        for (index, tag) in self.tags.enumerated() {
            guard 1...40 ~= tag.count, tag == tag.trimmed, !tag.utf8.contains(0) else {
                throw Problem(.invalidValue, at: "/tags/\(index)", detail: "a tag has 1 to 40 characters")
            }
        }
        return self.tags
    }
}

/// A correction that a colleague asks for.
struct CorrectionRequestBody: Decodable, Sendable {
    let points: Int64
    let reason: FormText

    func checked() throws(Problem) -> Int64 {
        guard self.points != 0, -Correction.pointsMax...Correction.pointsMax ~= self.points else {
            throw Problem(.invalidValue, at: "/points", detail: "not 0, at most \(Correction.pointsMax) either way")
        }
        return self.points
    }
}

/// What another colleague decides.
struct DecisionBody: Decodable, Sendable { let approves: Bool }

/// A canned answer.
struct CannedAnswerBody: Codable, Sendable {
    let code: String
    let title: String
    let ru: String
    let en: String

    init(_ answer: CannedAnswer) {
        (self.code, self.title, self.ru, self.en) = (answer.code, answer.title, answer.text.ru, answer.text.en)
    }
}

/// What a supervisor writes under a canned answer's name.
struct CannedTextBody: Decodable, Sendable {
    let title: FormText
    let ru: FormText
    let en: FormText
}
