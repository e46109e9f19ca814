import ArgumentParser
import Auth
import Kernel

/// `club mail`: the e-mails that the development gateway took instead of sending them.
struct MailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Show the e-mails of the development gateway, the newest first.",
        discussion: "Without a mail server, e-mails end up in an outbox in the database, as SMS do.")

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Only e-mails to this address.")
    var address: String?
    @Option(help: "At most so many e-mails.")
    var limit = 10

    /// A mail for programs.
    private struct Mail: Encodable {
        let at: Timestamp
        let to: String
        let subject: String
        let text: String
        let replyTo: String?
    }

    func validate() throws {
        guard 1...10_000 ~= self.limit else { throw ValidationError("--limit is 1 to 10000.") }
        _ = try self.recipient()
    }

    func run() async throws {
        let recipient = try self.recipient()
        let mails = try await OperatorSession.run(in: self.system.folder) { session in
            try await ReadMailOutbox(database: session.database)(to: recipient, limit: self.limit)
        }
        try self.output.output.result(
            mails.map {
                Mail(at: $0.sentAt, to: $0.recipient, subject: $0.subject, text: $0.text, replyTo: $0.replyTo)
            },
            Table(
                [.text("SENT"), .text("TO"), .text("SUBJECT"), .text("TEXT")],
                rows: mails.map { mail in
                    let line = String(mail.text.map { $0.isNewline ? " " : $0 })
                    return [mail.sentAt.description, mail.recipient, mail.subject, line]
                }))
    }

    private func recipient() throws -> EmailAddress? {
        guard let address else { return nil }
        guard let email = EmailAddress(address) else {
            throw ValidationError("The address must look like name@example.org.")
        }
        return email
    }
}
