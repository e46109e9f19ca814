import Testing

@testable import JobQueue

@Suite struct ScanFloorTests {
    private let start = ContinuousClock.now

    private func place(_ rank: Int64) -> QueuePosition { QueuePosition(priority: 2, rank: rank) }

    @Test func `a search begins behind the last full one, for a quarter of a second`() {
        var floor = ScanFloor()
        #expect(floor.current(at: self.start) == nil)
        floor.advance(behind: self.place(10), after: .milliseconds(1), at: self.start)
        floor.advance(behind: self.place(20), after: .milliseconds(1), at: self.start + .milliseconds(100))
        #expect(floor.current(at: self.start + .milliseconds(249)) == self.place(20))
        // What stands before it is seen again, however busy the queue is.
        #expect(floor.current(at: self.start + .milliseconds(250)) == nil)
        #expect(floor.current(at: self.start + .milliseconds(251)) == nil)
    }

    @Test
    func `a search from the beginning is a twentieth of the time, and never put off for longer than five seconds`() {
        var floor = ScanFloor()
        floor.advance(behind: self.place(10), after: .milliseconds(50), at: self.start)
        // The cost of the ones that began behind it does not count.
        floor.advance(behind: self.place(20), after: .seconds(9), at: self.start + .milliseconds(500))
        #expect(floor.current(at: self.start + .milliseconds(999)) == self.place(20))
        #expect(floor.current(at: self.start + .milliseconds(1000)) == nil)

        floor.advance(behind: self.place(30), after: .seconds(2), at: self.start)
        #expect(floor.current(at: self.start + .milliseconds(4999)) == self.place(30))
        #expect(floor.current(at: self.start + .seconds(5)) == nil)
    }

    @Test func `a search that was not full forgets the floor`() {
        var floor = ScanFloor()
        floor.advance(behind: self.place(10), after: .zero, at: self.start)
        floor.reset()
        #expect(floor.current(at: self.start) == nil)
    }
}
