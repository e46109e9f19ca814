public import Kernel
public import Postgres

/// A mail that the development gateway took.
public struct OutboxMail: Sendable {
    /// The address. Personal data: for the person at the terminal, never for logs.
    public let recipient: String
    /// The subject.
    public let subject: String
    /// The text.
    public let text: String
    /// Where answers go; nil for the sender's own address.
    public let replyTo: String?
    /// When it was sent.
    public let sentAt: Timestamp
}

/// Reads the development gateway's outbox of mails, for `club mail`.
public struct ReadMailOutbox: Sendable {
    private let database: Database

    /// - Parameter database: reached as auth's role.
    public init(database: Database) { self.database = database }

    /// - Parameters:
    ///   - recipient: whose mails; nil for everybody's.
    ///   - limit: how many at most.
    /// - Returns: the newest mails, newest first.
    public func callAsFunction(to recipient: EmailAddress?, limit: Int) async throws -> [OutboxMail] {
        try await OutboxStore().mails(recipient, limit: limit, on: self.database)
    }
}
