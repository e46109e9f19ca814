import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Several hundred transfers in one transaction.
@Suite(.ledger) struct BatchTests {
    private func prepare(_ books: Books, certificates: Int) async throws -> [LedgerTransfer.ID] {
        try await books.openPurposes()
        try await books.openCampaign(RandomTransfers.campaign, days: 300)
        let ids = (0..<certificates).map { _ in books.transferID() }
        let worth = try #require(Kopecks(30_000))
        let buyer = books.member()
        try await books.apply(
            ids.map { .issueCertificate(IssueCertificate(id: $0, member: buyer, kopecks: worth, hold: nil)) })
        return ids
    }

    @Test func `a refusal refuses itself alone, and every transfer is answered`() async throws {
        let books = try await Books()
        let members = (0..<3).map { _ in books.member() }
        let holds = (0..<4).map { _ in books.ids.next(Hold.self) }
        let sale = try books.receipt(of: members[0], [.of(100)])
        let forged = try books.receipt(of: members[1], [.of(100)], fiscal: sale.fiscal)
        let (hundred, tooMuch) = (try #require(Points(100)), try #require(Points(101)))
        func place(_ hold: Int, _ member: Int, _ points: Points) -> Transfer {
            .hold(
                PlaceHold(
                    hold: holds[hold], member: members[member], points: points, purpose: .till, expiresInSeconds: 60))
        }
        let outcomes = try await books.apply([
            place(0, 2, hundred), .earn(sale), .earn(forged), place(1, 0, tooMuch), place(2, 0, hundred),
            .capture(CaptureHold(hold: holds[2], member: members[0], points: nil)), place(3, 1, hundred), .earn(sale),
            .void(VoidHold(hold: holds[2], member: members[0])),
        ])

        #expect(
            outcomes.map(\.refusal) == [
                .unknownMember, nil, .receiptMismatch, .insufficientPoints, nil, nil, .unknownMember, nil,
                .holdCaptured,
            ])
        #expect(try outcomes[7].transaction == outcomes[1].transaction)
        #expect(outcomes[5].result?.captured == hundred)
        #expect(try await books.findings().isEmpty)
    }

    /// A batch goes in rounds, many members in one statement; a member must not see it.
    @Test(arguments: UInt64(1)...4)
    func `a batch does what the same transfers do one by one`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        let certificates = try await self.prepare(books, certificates: 24)
        let sides = (0..<2).map { _ in (0..<12).map { _ in books.member() } }
        var makers = sides.map { RandomTransfers(books, $0, seed: seed) }
        makers[0].certificates = Array(certificates.prefix(12))
        makers[1].certificates = Array(certificates.suffix(12))
        for side in makers.indices { makers[side].isMerging = true }
        for _ in 0..<5 {
            let batches = [try makers[0].batch(of: 60), try makers[1].batch(of: 60)]
            let together = try await books.apply(batches[0])
            var apart: [TransferOutcome] = []
            for transfer in batches[1] { apart.append(try await books.apply(transfer)) }
            for (index, (left, right)) in zip(together, apart).enumerated() {
                #expect(Self.plain(left) == Self.plain(right), "seed \(seed): \(batches[0][index])")
            }
            books.clock.advance(by: .seconds(5 * 86_400))
            try await books.upkeep.maturePoints()
        }
        for (left, right) in zip(sides[0], sides[1]) {
            #expect(
                try await Self.plain(books.account.balance(of: left))
                    == Self.plain(books.account.balance(of: right)), "seed \(seed)")
            #expect(try await books.account.lots(of: left) == books.account.lots(of: right), "seed \(seed)")
            #expect(
                try await books.feed(left).map(\.kind) == books.feed(right).map(\.kind), "seed \(seed)")
        }
        #expect(try await books.findings().isEmpty, "seed \(seed)")
    }

    /// Without the names that differ: those of transactions.
    private static func plain(_ outcome: TransferOutcome) -> TransferOutcome {
        guard case .done(var result) = outcome else { return outcome }
        result.transaction = nil
        return .done(result)
    }

    /// Without what differs because it is asked for one after another: the names of holds, and to the moment when.
    private static func plain(_ balance: Balance) -> [String] {
        let parts = [balance.available, balance.pending, balance.held, balance.debt].map { "\($0)" }
        let days = balance.maturing.map { "\($0.maturesAt) \($0.points)" }
        return parts + days + balance.holds.map { "\($0.purpose) \($0.points)" }.sorted()
            + ["\(String(describing: balance.expiringNext))"]
    }

    /// Batches of everything over the same members and certificates, in any order, at the same time.
    @Test(arguments: UInt64(1)...3)
    func `batches at once do not deadlock, whatever is in them`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        let certificates = try await self.prepare(books, certificates: 3)
        let members = (0..<8).map { _ in books.member() }
        let writers = (0..<4).map { number in
            var maker = RandomTransfers(books, members.shuffled(), seed: seed * 100 + UInt64(number))
            maker.certificates = certificates
            return maker
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in writers {
                group.addTask {
                    var writer = writer
                    for _ in 0..<6 { try await books.apply(try writer.batch(of: 40)) }
                }
            }
            group.addTask {
                for _ in 0..<4 {
                    try await books.apply(
                        .payOut(
                            PayOut(
                                id: books.transferID(), purpose: .partner("s7"), until: books.clock.now + .seconds(1))))
                    try await books.upkeep.round()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await books.findings().isEmpty, "seed \(seed)")
    }

    @Test func `members are locked in ascending order, whatever the order of the batch`() async throws {
        let books = try await Books()
        let members = (0..<2).map { _ in books.member() }.sorted()
        for member in members { try await books.earn(100, for: member) }
        // The first member is locked by somebody: a batch that names the second one first must not hold it meanwhile.
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await books.database.transaction { transaction in
                _ = try await TransferStore().apply(
                    [.expire(ExpireMember(member: members[0]))], at: books.clock.now, in: transaction)
                group.addTask {
                    try await books.apply(members.reversed().map { .expire(ExpireMember(member: $0)) })
                }
                try await eventually("the batch waits for the first member", isTrue: books.isAnybodyWaiting)
                let free = try await books.count(
                    """
                    select count(*) from (
                        select from ledger.member where member_id = \(members[1]) for no key update skip locked) as m
                    """)
                #expect(free == 1)
            }
            try await group.waitForAll()
        }
    }

    /// The answer is stored in the transaction of what it tells: refused ones as well.
    @Test func `refusals are answered again as they were, and forgotten after 30 days`() async throws {
        let books = try await Books()
        let member = books.member()
        _ = try await self.prepare(books, certificates: 0)
        let spend = Transfer.stickers(
            MoveStickers(id: books.transferID(), member: member, campaign: RandomTransfers.campaign, count: -1))
        #expect(try await books.apply(spend).refusal == .insufficientStickers)
        _ = try await books.stickers(5, of: RandomTransfers.campaign, for: member)
        #expect(try await books.apply(spend).refusal == .insufficientStickers)

        books.clock.advance(by: .seconds(31 * 86_400))
        #expect(try await books.upkeep.forgetRefusals() == 1)
        #expect(try await books.apply(spend).result?.balance == 4)
        books.clock.advance(by: .seconds(31 * 86_400))
        #expect(try await books.upkeep.forgetRefusals() == 0)
        #expect(try await books.apply(spend).result?.balance == 4)
        #expect(try await books.findings().isEmpty)
    }
}
