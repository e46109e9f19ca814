import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Cards that were merged twice, and what follows them: goods that come back, payments, reversals, corrections.
@Suite(.ledger) struct LineageTests {
    private let books: Books
    /// The first is merged into the second, the second into the third.
    private let cards: [Member.ID]

    init() async throws {
        self.books = try await Books()
        self.cards = [self.books.member(), self.books.member(), self.books.member()].sorted()
    }

    private func merge(_ source: Int, into target: Int) async throws {
        let outcome = try await self.books.merge(self.cards[source], into: self.cards[target])
        try #require(outcome.result != nil, "\(outcome)")
    }

    private func classes(of card: Int) async throws -> [String] {
        try await self.books.account.lots(of: self.cards[card]).flatMap(\.classes).map(\.lotClass)
    }

    @Test func `goods of a card that was merged twice take the points that they earned`() async throws {
        let sale = try self.books.receipt(of: self.cards[0], [.of(100)])
        try await self.books.post([sale])
        try await self.merge(0, into: 1)
        try await self.merge(1, into: 2)
        // Expires sooner, so without the lineage these would be taken first.
        try await self.books.earn(50, .promotional, for: self.cards[2])

        let outcome = try await self.books.apply(
            try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], back: [(1, 100)]))
        #expect(outcome.result?.fromAvailable == Points(100))
        #expect(try await self.classes(of: 2) == ["promotional"])
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `points that matured on a card in between are the receipt's as well`() async throws {
        let delivery = self.books.clock.now + .seconds(86_400)
        let sale = try self.books.receipt(of: self.cards[0], [.of(100, maturing: delivery)])
        try await self.books.post([sale])
        try await self.merge(0, into: 1)
        self.books.clock.set(to: delivery)
        try #require(try await self.books.upkeep.maturePoints() == 1)
        try await self.merge(1, into: 2)
        try await self.books.earn(50, .promotional, for: self.cards[2])

        try await self.books.apply(
            try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], back: [(1, 100)]))
        #expect(try await self.classes(of: 2) == ["promotional"])
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a payment with a card in between comes back, also after another merge`() async throws {
        let sale = try self.books.receipt(of: self.cards[0], [])
        try await self.books.post([sale])
        try await self.merge(0, into: 1)
        try await self.books.earn(80, for: self.cards[1])
        let (hold, _) = try await self.books.spend(60, for: self.cards[1])
        func back(_ sum: Int64) throws -> Transfer {
            try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], holds: [hold], back: [(1, sum)])
        }
        #expect(try await self.books.apply(try back(50)).result?.restored == Points(30))
        try await self.merge(1, into: 2)
        #expect(try await self.books.apply(try back(50)).result?.restored == Points(30))
        #expect(try await self.books.available(self.cards[2]) == 80)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a receipt that comes late for the first card is brought over to the last one`() async throws {
        try await self.books.earn(10, for: self.cards[0])
        try await self.merge(0, into: 1)
        try await self.merge(1, into: 2)
        let late = try self.books.receipt(of: self.cards[0], [.of(5)])
        try await self.books.post([late])
        let refused = try await self.books.merge(self.cards[0], into: self.cards[1])
        #expect(refused.refusal == .mergedAway)
        try await self.merge(0, into: 2)
        #expect(try await self.books.available(self.cards[2]) == 15)

        try await self.books.earn(50, .promotional, for: self.cards[2])
        try await self.books.apply(
            try self.books.goods(of: self.cards[0], late.receipt, lines: [100], back: [(1, 100)]))
        #expect(try await self.books.available(self.cards[2]) == 60)
        #expect(Set(try await self.classes(of: 2)) == ["promotional", "regular"])
        #expect(try await self.books.findings().isEmpty)
    }

    // MARK: Batches

    /// Found by ten years of a thousand members: the return was done before the receipt, for it is another card's.
    @Test func `in a batch goods come back after their receipt, though the card has become another one`() async throws {
        try await self.books.earn(1, for: self.cards[0])
        try await self.merge(0, into: 1)
        try await self.merge(1, into: 2)
        let sale = try self.books.receipt(of: self.cards[0], [.of(100)])
        let outcomes = try await self.books.apply([
            .expire(ExpireMember(member: self.cards[0])), .earn(sale),
            try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], back: [(1, 100)]),
        ])
        #expect(outcomes.map(\.refusal) == [nil, nil, nil])
        #expect(outcomes[2].result?.clawedBack == Points(100))
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `in a batch a merge and what follows it keep their order`() async throws {
        let sale = try self.books.receipt(of: self.cards[0], [.of(100)])
        let hold: Hold.ID = self.books.ids.next()
        let outcomes = try await self.books.apply([
            .earn(sale),
            .merge(MergeMembers(id: self.books.transferID(), source: self.cards[0], member: self.cards[1])),
            .expire(ExpireMember(member: self.cards[1])),
            .hold(
                PlaceHold(
                    hold: hold, member: self.cards[1], points: try #require(Points(100)), purpose: .till,
                    expiresInSeconds: 600)),
            try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], back: [(1, 100)]),
        ])
        #expect(outcomes.map(\.refusal) == [nil, nil, nil, nil, nil])
        #expect(outcomes[4].result?.asDebt == Points(100))
        #expect(try await self.books.findings().isEmpty)
    }

    /// The return has found its card alone, and waits for the lock that the merge holds.
    @Test func `goods that come back while their card is merged are the new card's`() async throws {
        let sale = try self.books.receipt(of: self.cards[0], [.of(100)])
        try await self.books.post([sale])
        let back = try self.books.goods(of: self.cards[0], sale.receipt, lines: [100], back: [(1, 100)])
        try await withThrowingTaskGroup(of: Void.self) { [books, cards] group in
            try await books.database.transaction { transaction in
                let merge = MergeMembers(id: books.transferID(), source: cards[0], member: cards[1])
                _ = try await TransferStore().apply([.merge(merge)], at: books.clock.now, in: transaction)
                group.addTask { try await books.apply(back) }
                try await eventually("the return waits for the merge", isTrue: books.isAnybodyWaiting)
            }
            try await group.waitForAll()
        }
        #expect(try await self.books.available(self.cards[1]) == 0)
        #expect(try await self.books.account.balance(of: self.cards[0]).debt == .zero)
        #expect(try await self.books.findings().isEmpty)
    }

    // MARK: Reversals and corrections

    @Test func `a capture of the old card is reversed to the new one, with its money`() async throws {
        try await self.books.openPurposes()
        try await self.books.earn(100, for: self.cards[0])
        let spent = try await self.books.spend(60, for: self.cards[0], purpose: .partner("s7"), worth: 600)
        let certificate = self.books.transferID()
        let face = try #require(Kopecks(50_000))
        let bought = try await self.books.apply(
            .issueCertificate(
                IssueCertificate(id: certificate, member: self.cards[0], kopecks: face, hold: nil)))
        let redeemed = try await self.books.apply(
            .redeemCertificate(
                RedeemCertificate(
                    id: self.books.transferID(), member: self.cards[0], certificate: certificate,
                    kopecks: try #require(Kopecks(20_000)))))
        try #require(bought.result != nil && redeemed.result != nil)
        try await self.merge(0, into: 1)
        try await self.merge(1, into: 2)

        let back = try await self.books.reverse(try spent.outcome.transaction, of: self.cards[0])
        #expect(back.result?.available == Points(100))
        #expect(try await self.books.reverse(try redeemed.transaction, of: self.cards[0]).result != nil)
        #expect(try await self.books.available(self.cards[2]) == 100)
        #expect(try await self.books.available(self.cards[0]) == 0)
        #expect(try await self.books.total("rub:partner:s7:payable") == 0)
        #expect(try await self.books.total("rub:certificate") == 50_000)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a correction of the old card is decided and reversed for the new one`() async throws {
        let request = self.books.transferID()
        try await self.books.apply(
            .requestAdjustment(
                RequestAdjustment(
                    id: request, member: self.cards[0], points: -30, cause: .correction, maker: self.books.ids.next(),
                    ticket: "T-7", reason: "booked twice")))
        let given = try await self.books.adjust(100, of: self.cards[0])
        try await self.merge(0, into: 1)
        try await self.merge(1, into: 2)
        try await self.books.earn(50, .promotional, for: self.cards[2])

        let decided = try await self.books.apply(
            .decideAdjustment(
                DecideAdjustment(
                    id: self.books.transferID(), member: self.cards[0], adjustment: request,
                    checker: self.books.ids.next(), approves: true)))
        #expect(decided.result?.available == Points(120))
        // What was given is taken from its own lot first, which has 100 left: the 20 that remain were promotional.
        #expect(try await self.books.reverse(try given.transaction, of: self.cards[0]).result?.available == Points(20))
        #expect(try await self.classes(of: 2) == ["promotional"])
        #expect(
            try await self.books.reverse(try decided.transaction, of: self.cards[2]).result?.available == Points(50))
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `stickers of the old card are given back to the new one, and taken from it`() async throws {
        try await self.books.openCampaign("cups", days: 30)
        let given = try await self.books.stickers(5, of: "cups", for: self.cards[0])
        let taken = try await self.books.stickers(-5, of: "cups", for: self.cards[0])
        try await self.merge(0, into: 1)
        // The new card has never had one.
        #expect(try await self.books.reverse(try taken.transaction, of: self.cards[0]).result != nil)
        #expect(try await self.books.stickers(-2, of: "cups", for: self.cards[1]).result?.balance == 3)
        let tooMuch = try await self.books.reverse(try given.transaction, of: self.cards[0])
        #expect(tooMuch.refusal == .insufficientStickers)
        _ = try await self.books.stickers(2, of: "cups", for: self.cards[1])
        #expect(try await self.books.reverse(try given.transaction, of: self.cards[0]).result != nil)
        #expect(try await self.books.stickers(-1, of: "cups", for: self.cards[1]).refusal == .insufficientStickers)
        #expect(try await self.books.findings().isEmpty)
    }
}
