import Testing

@testable import JobQueue

@Suite struct DoorbellStateTests {
    /// Rings so often, and answers how long the round after it collects.
    private func pause(_ bell: inout DoorbellState, rings: Int) throws -> Duration {
        for _ in 0..<rings { bell.ring(queues: [1]) }
        let round = bell.nextRound()
        return bell.pause(after: try #require(round))
    }

    @Test func `what was rung meanwhile goes out together, once`() {
        var bell = DoorbellState()
        bell.ring(queues: [1])
        #expect(bell.nextRound() == DoorbellState.Round(queues: [1], rings: 1))
        bell.ring(queues: [2, 1])
        bell.ring(queues: [2], instances: [7])
        #expect(bell.nextRound() == DoorbellState.Round(queues: [1, 2], instances: [7], rings: 2))
        #expect(bell.nextRound() == nil)
    }

    @Test func `the pause grows from 1 to 10 ms where rings come faster than every half millisecond`() throws {
        var bell = DoorbellState()
        let pauses = try [4, 8, 16, 20].map { try self.pause(&bell, rings: $0) }
        #expect(pauses == [.milliseconds(2), .milliseconds(4), .milliseconds(8), .milliseconds(10)])
        #expect(bell.nextRound() == nil)
        #expect(try self.pause(&bell, rings: 1) == .milliseconds(1))
    }

    @Test func `single rings, however steady, are not kept waiting, and a rush is forgotten`() throws {
        var bell = DoorbellState()
        for _ in 0..<10 { #expect(try self.pause(&bell, rings: 1) == .milliseconds(1)) }
        for _ in 0..<4 { _ = try self.pause(&bell, rings: 100) }
        #expect(try self.pause(&bell, rings: 11) == .milliseconds(10))
        // A ring every 1.6 ms from here on.
        let pauses = try [6, 3, 1].map { try self.pause(&bell, rings: $0) }
        #expect(pauses == [.milliseconds(5), .microseconds(2500), .microseconds(1250)])
    }
}
