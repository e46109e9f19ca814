import Foundation
import Kernel
import Testing

/// The judge itself: a history that is wrong must not pass.
@Suite struct ReadCheckTests {
    private let start = ContinuousClock.now
    private let member = Member.ID(UUID())

    private func at(_ second: Int) -> BankHistory.Moment { self.start.advanced(by: .seconds(second)) }

    private func read(_ available: Int64, _ begin: Int, _ end: Int) -> BankHistory.Read {
        BankHistory.Read(member: self.member, available: available, held: 0, start: self.at(begin), end: self.at(end))
    }

    private func check(
        _ reads: [BankHistory.Read], writes: [(version: Int, start: BankHistory.Moment, end: BankHistory.Moment)] = []
    ) -> Int {
        ReadCheck(versions: [(10, 0), (30, 0), (10, 0), (5, 0)], writes: writes).anomalies(reads).count
    }

    @Test func `reads in the order of the history pass`() {
        #expect(self.check([self.read(10, 0, 1), self.read(30, 2, 3), self.read(10, 4, 5), self.read(5, 6, 7)]) == 0)
        // At the same time both may come first.
        #expect(self.check([self.read(5, 0, 9), self.read(10, 1, 8)]) == 0)
    }

    @Test func `a state that never was is found`() {
        #expect(self.check([self.read(11, 0, 1)]) == 1)
    }

    @Test func `the past after the present is found`() {
        #expect(self.check([self.read(5, 0, 1), self.read(30, 2, 3)]) == 1)
    }

    @Test func `a read that misses what was acknowledged before it is found`() {
        #expect(self.check([self.read(30, 5, 6)], writes: [(3, self.at(0), self.at(4))]) == 1)
        #expect(self.check([self.read(30, 3, 6)], writes: [(3, self.at(0), self.at(4))]) == 0)
    }

    @Test func `a read that sees what was asked for only after it is found`() {
        #expect(self.check([self.read(5, 0, 1)], writes: [(4, self.at(2), self.at(3))]) == 1)
    }
}
