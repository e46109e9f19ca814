import FoundationEssentials
import Kernel
import Postgres

/// The pigeonholes of the development gateways for mail and pushes.
struct OutboxStore: Sendable {
    /// The same reference twice is one message.
    func put(_ mail: OutgoingMail, reference: UUID, at now: Timestamp, on database: Database) async throws {
        try await database.execute(
            """
            insert into auth.mail_outbox (reference, recipient, subject, body, reply_to, in_reply_to, sent_at)
            values (
                \(reference), \(mail.recipient.address), \(mail.subject), \(mail.body), \(mail.replyTo?.address),
                \(mail.inReplyTo), \(now)
            )
            on conflict (reference) do nothing
            """)
    }

    func put(
        title: String, body: String, device: Device, reference: UUID, at now: Timestamp, on database: Database
    ) async throws {
        try await database.execute(
            """
            insert into auth.push_outbox (reference, device, title, body, sent_at)
            values (\(reference), \(device.token.text), \(title), \(body), \(now))
            on conflict (reference, device) do nothing
            """)
    }

    /// The newest mails, newest first, to one address or to all.
    func mails(_ recipient: EmailAddress?, limit: Int, on database: Database) async throws -> [OutboxMail] {
        try await database.query(
            """
            select recipient, subject, body, reply_to, sent_at
            from auth.mail_outbox
            where recipient = coalesce(\(recipient?.address), recipient)
            order by message_id desc
            limit \(limit)
            """
        ).map { row in
            let (recipient, subject, body, replyTo, sentAt) = try row.decode(
                String.self, String.self, String.self, String?.self, Timestamp.self)
            return OutboxMail(recipient: recipient, subject: subject, text: body, replyTo: replyTo, sentAt: sentAt)
        }
    }

    /// Deletes what was sent before a moment.
    func purge(sentBefore edge: Timestamp, on database: Database) async throws -> Int {
        try await database.pipeline([
            "delete from auth.mail_outbox where sent_at <= \(edge)",
            "delete from auth.push_outbox where sent_at <= \(edge)",
        ]).reduce(0) { $0 + $1.affectedRows }
    }
}
