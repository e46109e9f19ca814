public import Kernel
public import Postgres

/// A message that the development gateway took.
public struct OutboxMessage: Sendable {
    /// The phone, E.164. Personal data: for the person at the terminal, never for logs.
    public let recipient: String
    /// The text, with the code. Never for logs.
    public let text: String
    /// When it was sent.
    public let sentAt: Timestamp
}

/// Reads the development gateway's outbox, for `club sms`.
public struct ReadOutbox: Sendable {
    private let database: Database

    /// - Parameter database: reached as auth's role.
    public init(database: Database) { self.database = database }

    /// - Parameters:
    ///   - phone: whose messages; nil for everybody's.
    ///   - limit: how many at most.
    /// - Returns: the newest messages, newest first.
    public func callAsFunction(to phone: PhoneNumber?, limit: Int) async throws -> [OutboxMessage] {
        try await SMSStore().outbox(phone, limit: limit, on: self.database)
    }
}
