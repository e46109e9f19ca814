import Testing

@testable import JobQueue

@Suite struct DoorbellStateTests {
    @Test func `what was rung meanwhile goes out together, once`() {
        var bell = DoorbellState()
        bell.ring(queues: [1])
        #expect(bell.nextRound() == DoorbellState.Round(queues: [1]))
        bell.ring(queues: [2, 1])
        bell.ring(queues: [2], instances: [7])
        #expect(bell.nextRound() == DoorbellState.Round(queues: [1, 2], instances: [7]))
        #expect(bell.nextRound() == nil)
    }

    @Test func `the pause grows from 2 to 10 ms while it is busy and falls back when it is quiet`() {
        var bell = DoorbellState()
        var pauses: [Duration] = []
        for _ in 0..<4 {
            bell.ring(queues: [1])
            _ = bell.nextRound()
            pauses.append(bell.pauseAfterRound())
        }
        #expect(pauses == [.milliseconds(2), .milliseconds(4), .milliseconds(8), .milliseconds(10)])
        #expect(bell.nextRound() == nil)
        #expect(bell.pauseAfterRound() == .milliseconds(2))
    }
}
