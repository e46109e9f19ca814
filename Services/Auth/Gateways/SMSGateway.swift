import FoundationEssentials
import Kernel
import Postgres

/// The way out to members' phones.
protocol SMSGateway: Sendable {
    /// Hands over one message.
    /// - Parameters:
    ///   - text: at most ``SMSText/segmentUTF16Units`` UTF-16 units; never logged, it may hold a code.
    ///   - reference: the message's identity: handed over twice it is one message where the gateway can tell, and
    ///     delivery reports name it.
    /// - Returns: how far the message is known to have come. Reports that come later, twice or out of order only raise
    ///   it (``SMSStore/advance(_:to:at:on:)``).
    /// - Throws: when the gateway did not take the message; it is tried again.
    func send(to phone: PhoneNumber, text: String, reference: UUID) async throws -> DeliveryState
}

/// The gateway for development and tests: messages go into a table that `club sms` shows.
struct OutboxSMSGateway: SMSGateway {
    let database: Database
    let clock: any WallClock

    func send(to phone: PhoneNumber, text: String, reference: UUID) async throws -> DeliveryState {
        try await SMSStore().putIntoOutbox(
            text, to: phone, reference: reference, at: self.clock.now, on: self.database)
        return .delivered
    }
}
