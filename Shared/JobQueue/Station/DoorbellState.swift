internal import Kernel

/// What has still to be rung, and when. Pure: the doorbell performs it.
///
/// The first ring after a quiet time goes out at once. What comes while a bell is under way, or within the pause after
/// it, is collected and goes out together. The pause is 1 ms as long as waiting would gather next to nothing, because
/// then it only delays: two such delays are a good part of the time of a call. It grows to 10 ms where rings come fast, because
/// each bell wakes every listening session of the database.
struct DoorbellState: Sendable {
    struct Round: Sendable, Equatable {
        var queues: Set<Int16> = []
        var instances: Set<Int32> = []
        /// How often it was rung.
        var rings = 0
        var isEmpty: Bool { self.queues.isEmpty && self.instances.isEmpty }
    }

    static let shortestPause = Duration.milliseconds(1)
    static let longestPause = Duration.milliseconds(10)
    /// Rings that come faster than this on average are made to wait for more of them; slower than half of it, for less.
    static let fast = Duration.microseconds(500)

    private(set) var pending = Round()
    private(set) var pause = DoorbellState.shortestPause

    mutating func ring(queues: [Int16] = [], instances: [Int32] = []) {
        self.pending.queues.formUnion(queues)
        self.pending.instances.formUnion(instances)
        self.pending.rings += 1
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
    mutating func pause(after round: Round) -> Duration {
        let usual = self.pause / Self.fast
        if Double(round.rings) >= usual {
            self.pause = min(self.pause * 2, Self.longestPause)
        } else if Double(round.rings) <= usual / 2 {
            self.pause = max(self.pause / 2, Self.shortestPause)
        }
        return self.pause
    }
}
