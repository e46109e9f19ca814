import FoundationEssentials
import Kernel
import Postgres

/// Takes a gateway's report about an SMS, of a code or of anything else told. Reports come twice and out of order: a state
/// only rises.
struct TakeReport: Sendable {
    let database: Database
    let clock: any WallClock
    let move: MoveNotice
    let auth: AuthMetrics
    let metrics: NoticeMetrics

    /// - Returns: whether a state rose.
    @discardableResult
    func callAsFunction(_ reference: UUID, state: DeliveryState) async throws -> Bool {
        self.metrics.reported()
        if try await SMSStore().advance(reference, to: state, at: self.clock.now, on: self.database) {
            self.auth.messageCame(to: state)
            return true
        }
        return try await self.move(Notice.ID(reference), to: NoticeState(state))
    }
}
