import Testing

@testable import JobQueue

@Suite struct NumberLeaseTests {
    private let start = ContinuousClock.now

    @Test func `each id is new, carries the server's time, and the block has an end`() {
        var lease = NumberLease(first: 524_288, milliseconds: 1_763_892_000_000, leased: self.start)
        var ids: Set<JobID> = []
        while let id = lease.next(at: self.start + .milliseconds(40)) { ids.insert(id) }
        #expect(ids.count == 256)
        #expect(ids.allSatisfy { $0.raw >> 20 == 1_763_892_000_040 })
        #expect(ids.allSatisfy { 524_288..<524_544 ~= $0.raw & 0xF_FFFF })
    }

    @Test func `a lease that is over gives nothing: its numbers may be somebody else's soon`() {
        var lease = NumberLease(first: 524_288, milliseconds: 1_763_892_000_000, leased: self.start)
        #expect(lease.next(at: self.start + .seconds(4)) != nil)
        #expect(lease.next(at: self.start + .seconds(5)) == nil)
        var none = NumberLease()
        #expect(none.next(at: .now) == nil)
    }
}
