public import JobQueue
public import Kernel

/// The command that a service sends to itself, on a queue of its own, for a duty of a redemption: each service declares its
/// own, because a command has one queue.
///
/// ```swift
/// struct DriveExchange: RedemptionDrive {
///     static let name = "partners_exchange.drive-exchange"
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
            guard let wait = try await self.advance(command.redemption, of: command.member) else { return }
            // The database's clock, by which jobs come, may be ahead of ours. What is due much later has a job of its own.
            if wait <= .seconds(2) { throw JobFailure.snooze(for: max(wait, .milliseconds(50))) }
        }
    }
}
