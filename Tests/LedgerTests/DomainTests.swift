import Kernel
import Testing

@testable import Ledger

@Suite struct DomainTests {
    @Test(arguments: [(rate: 10, points: 5000, kopecks: 50_000), (10, 1, 10), (100, 7, 7), (1, 7, 700), (10, 0, 0)])
    func `points are worth whole kopecks`(rate: Int64, points: Int64, kopecks: Int64) throws {
        let rate = try #require(ExchangeRate(pointsPerRouble: rate))
        #expect(rate.worth(try #require(Points(points))) == Kopecks(kopecks))
    }

    @Test(arguments: [0, -10, 3, 7, 30, 101, 1000])
    func `a rate that would split a kopeck is no rate`(pointsPerRouble: Int64) {
        #expect(ExchangeRate(pointsPerRouble: pointsPerRouble) == nil)
    }

    @Test func `worth beyond 64 bits stays at the largest amount`() throws {
        #expect(ExchangeRate.programme.worth(try #require(Points(.max))) == Kopecks(.max))
    }

    @Test func `every kind of transaction goes in one direction, or in the one that its change has`() {
        #expect(FeedDirection.incoming.kinds == [.earn, .void, .mature])
        #expect(TransactionKind.undirected == [.return, .adjust, .merge, .reverse])
        #expect(FeedDirection.outgoing.kinds == [.hold, .capture, .expire, .settle, .sticker, .certificate])
    }

    @Test func `a capture is about what was burnt, and changes the balance by what came back`() throws {
        let movements = [
            try Self.movement("member:held", "redeemed:till", 60),
            try Self.movement("member:held", "member:available", 20),
        ]
        #expect(TransactionKind.capture.subject(of: movements) == Points(60))
        #expect(TransactionKind.void.subject(of: movements) == Points(80))
        #expect(movements.map(\.change) == [0, 20])
        #expect(try Self.movement("member:available", "member:held", 5).change == -5)
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, .max])
    func `a change of any size has a worth of the same sign`(change: Int64) {
        let amount = AmountBody(change: change, .programme)
        #expect(amount.points == change)
        #expect(amount.kopecks.signum() == change.signum())
    }

    private static func movement(_ from: String, _ to: String, _ points: Int64) throws -> FeedMovement {
        FeedMovement(from: from, to: to, points: try #require(Points(points)), rule: nil, lot: nil)
    }
}
