internal import Host
internal import JobQueue
internal import Kernel

/// Hears of sessions that have ended, so that their tokens are refused before they run out.
struct SessionHandlers: Sendable {
    static let queue = QueueDeclaration("ledger.sessions", retention: .seconds(86_400), producers: ["auth"])

    let clock: any WallClock

    var all: [Handler] {
        [
            .endedSessions(of: LedgerModule.name, on: Self.queue.name, clock: self.clock)
        ]
    }
}
