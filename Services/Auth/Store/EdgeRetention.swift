import Kernel
import Postgres

/// Deletes what the edges need no more. May run any number of times, in any number of processes.
struct EdgeRetention: Sendable {
    /// Longer than any cap looks back, and than anybody asks what became of a message.
    private static let notifications = Duration.seconds(90 * 86_400)
    private static let outbox = Duration.seconds(7 * 86_400)
    private static let staffSessions = Duration.seconds(30 * 86_400)

    func purge(at now: Timestamp, on database: Database) async throws {
        _ = try await NoticeStore().purge(createdBefore: now - Self.notifications, on: database)
        _ = try await OutboxStore().purge(sentBefore: now - Self.outbox, on: database)
        _ = try await DeviceStore().purge(on: database)
        _ = try await StaffSessionStore().purge(endedBefore: now - Self.staffSessions, on: database)
    }
}
