internal import Kernel

/// What has still to be rung, and when. Pure: the doorbell performs it.
///
/// The first ring after a quiet time goes out at once. What comes while a bell is under way, or within the pause after
/// it, is collected and goes out together: the pause grows from 2 to 10 ms while there is always something to ring.
struct DoorbellState: Sendable {
    struct Round: Sendable, Equatable {
        var queues: Set<Int16> = []
        var instances: Set<Int32> = []
        var isEmpty: Bool { self.queues.isEmpty && self.instances.isEmpty }
    }

    static let shortestPause = Duration.milliseconds(2)
    static let longestPause = Duration.milliseconds(10)

    private(set) var pending = Round()
    private(set) var pause = DoorbellState.shortestPause

    mutating func ring(queues: [Int16] = [], instances: [Int32] = []) {
        self.pending.queues.formUnion(queues)
        self.pending.instances.formUnion(instances)
    }

    /// What is to be rung now; nil when it is quiet, and then the next ring is the first again.
    mutating func nextRound() -> Round? {
        guard !self.pending.isEmpty else {
            self.pause = Self.shortestPause
            return nil
        }
        defer { self.pending = Round() }
        return self.pending
    }

    /// How long to collect after a round.
    mutating func pauseAfterRound() -> Duration {
        defer { self.pause = min(self.pause * 2, Self.longestPause) }
        return self.pause
    }
}
