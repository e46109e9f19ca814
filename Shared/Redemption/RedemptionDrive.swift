public import JobQueue
public import Kernel

/// The command that a service sends to itself, on a queue of its own, for a duty of a redemption: each service declares its
/// own, because a command has one queue.
///
/// ```swift
/// struct DriveExchange: RedemptionDrive {
///     static let name = "partners-exchange.drive-exchange"
///     static let queue: QueueName = "partners_exchange.drive"
///     let member: Member.ID
///     let redemption: RedemptionRecord.ID
/// }
/// ```
public protocol RedemptionDrive: Command {
    var member: Member.ID { get }
    var redemption: RedemptionRecord.ID { get }
    init(member: Member.ID, redemption: RedemptionRecord.ID)
}

extension RedemptionFlow {
    /// Does the duties as they come due.
    public func handler<Drive: RedemptionDrive>(of _: Drive.Type) -> Handler {
        .leased(Drive.self) { command, _ in
            try await self.advance(command.redemption, of: command.member)
        }
    }
}
