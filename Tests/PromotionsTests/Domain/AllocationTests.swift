import TestSupport
import Testing

@testable import Promotions

@Suite struct AllocationTests {
    @Test(
        arguments: [
            (amount: 10, weights: [1, 1, 1], parts: [4, 3, 3]),
            (amount: 1, weights: [400, 400, 400], parts: [1, 0, 0]),
            (amount: 0, weights: [5, 5], parts: [0, 0]), (amount: 0, weights: [0, 0], parts: [0, 0]),
            (amount: 7, weights: [0, 3], parts: [0, 7]), (amount: 100, weights: [50, 30, 20], parts: [50, 30, 20]),
            (amount: 5, weights: [26, 49, 25], parts: [1, 3, 1]),
        ] as [(amount: Int64, weights: [Int64], parts: [Int64])])
    func `the largest remainders get what is left`(amount: Int64, weights: [Int64], parts: [Int64]) {
        #expect(allocate(amount, over: weights) == parts)
    }

    @Test(arguments: 0..<128)
    func `the parts sum to the amount and none is a whole unit off its share`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let weights = (0..<Int.random(in: 1...200, using: &random)).map { _ in
            Int64.random(in: 0...1_000_000, using: &random)
        }
        let whole = weights.reduce(0, +)
        guard whole > 0 else { return }
        let amount = Int64.random(in: 0...1_000_000, using: &random)
        let parts = allocate(amount, over: weights)
        #expect(parts.reduce(0, +) == amount)
        for (part, weight) in zip(parts, weights) {
            #expect(abs(part * whole - amount * weight) < whole)
        }
    }
}
