import Contracts
import JobQueue
import Kernel
import Postgres

/// Has a customer told what was written: by e-mail to the ticket's address, else by the ways that auth knows of the member.
struct TellCustomer: Sendable {
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let keys: SupportKeys
    /// Where answers go: everything behind the sign.
    let domain: String
    private let thread = ThreadStore()

    init(bus: Bus, clock: any WallClock, ids: IDGenerator, keys: SupportKeys, domain: String) {
        (self.bus, self.clock, self.ids, self.keys, self.domain) = (bus, clock, ids, keys, domain)
    }

    /// The name of the letter that carries a message.
    func letterName(of message: ThreadMessage.ID) -> String { "<\(message)@\(self.domain)>" }

    /// - Parameter message: what is told; names the letter.
    func callAsFunction(
        _ text: Reason.Wording, of message: ThreadMessage.ID, in ticket: SupportTicket, answering letter: String?,
        in transaction: borrowing Transaction
    ) async throws {
        let recipient: Notify.Recipient
        let channels: [Notify.Channel]
        switch (ticket.email, ticket.member) {
        case (let email?, _): (recipient, channels) = (.email(email), [.email])
        case (nil, let member?): (recipient, channels) = (.member(member), [.push, .email])
        case (nil, nil): return
        }
        guard let replyTo = ReplyAddress(ticket.id).address(domain: self.domain, self.keys) else { return }
        let subject = SupportTexts.subject(ticket)
        let id = self.ids.next(Notice.self)
        let body = { (text: String) in ticket.email == nil ? text : "\(QuotedText.line)\n\n\(text)" }
        let notice = Notify(
            id: id, recipient: recipient, purpose: .service, channels: channels,
            russian: .init(subject: subject.ru, body: body(text.ru)),
            english: .init(subject: subject.en, body: body(text.en)),
            mail: Notify.MailThread(
                replyTo: replyTo, messageID: self.letterName(of: message), inReplyTo: letter))
        try await self.thread.insertNotice(id, of: message, in: ticket.id, at: self.clock.now, in: transaction)
        try await self.bus.send(notice, in: transaction)
    }
}
