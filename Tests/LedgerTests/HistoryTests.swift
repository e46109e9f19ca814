import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Random histories: the database and the reference agree on everything that a member can see.
///
/// What fails names its seed; `CLUB_LEDGER_SEEDS=17,18` runs these seeds and no others.
@Suite(.ledger) struct HistoryTests {
    /// The seeds that were asked for; else the first ones, and one that nobody has seen.
    private static func seeds(_ fixed: ClosedRange<UInt64>) -> [UInt64] {
        let asked = ProcessInfo.processInfo.environment["CLUB_LEDGER_SEEDS"]?.split(separator: ",")
            .compactMap { UInt64($0) }
        return asked ?? fixed + [UInt64.random(in: 1000...999_999)]
    }

    /// Four cards, and a look at all of them after every single deed.
    @Test(arguments: Self.seeds(1...10))
    func `the ledger and the reference tell the same history`(seed: UInt64) async throws {
        var history = try await RandomHistory(seed: seed, members: 4)
        for step in 0..<120 {
            let deed: String
            switch Int.random(in: 0..<10, using: &history.random) {
            case 0:
                deed = "sweep"
                try await history.sweep()
            case 1...2:
                deed = "move on"
                history.moveOn(days: 12)
            case 3 where step % 3 == 0:
                deed = "another policy"
                try await history.changePolicy()
            case 3 where step % 3 == 1:
                deed = "more time for a campaign"
                try await history.prolongCampaign()
            default: deed = try await history.transfers(1, merges: step > 60)
            }
            let differences = try await history.differences(of: history.members, alsoByAPI: true)
            #expect(differences.isEmpty, "seed \(seed), step \(step) at \(history.now): \(deed)")
            guard differences.isEmpty else { return }
        }
        try await self.finish(&history, "seed \(seed)")
    }

    /// A thousand members through ten years, 60 transfers at a time: leap days, month ends and midnights included.
    @Test(.oncePerRun, arguments: Self.seeds(1...1).prefix(1))
    func `ten years of a thousand members end as the reference says`(seed: UInt64) async throws {
        var history = try await RandomHistory(seed: seed, members: 1000, years: 11)
        let end = history.now + .seconds(3653 * 86_400)
        var step = 0
        while history.now < end {
            history.moveOn(days: 9)
            _ = try await history.transfers(60, merges: step.isMultiple(of: 10))
            step += 1
            let isSwept = step.isMultiple(of: 8)
            if isSwept { try await history.sweep() }
            if step.isMultiple(of: 50) { try await history.changePolicy() }
            if step.isMultiple(of: 12) { try await history.prolongCampaign() }
            let differences = try await history.differences(of: isSwept ? history.members : history.touched)
            #expect(differences.isEmpty, "seed \(seed), step \(step) at \(history.now)")
            guard differences.isEmpty else { return }
        }
        try await self.finish(&history, "seed \(seed)")
    }

    /// Every line of every feed, and the invariants; nothing is overdue after a sweep.
    private func finish(_ history: inout RandomHistory, _ seed: String) async throws {
        try await history.sweep()
        #expect(try await history.differences(of: history.members).isEmpty, "\(seed)")
        #expect(try await history.differencesInFeeds().isEmpty, "\(seed)")
        let findings = try await history.books.findings()
        #expect(findings.isEmpty, "\(seed): \(findings)")
    }

    /// Whatever the order and however it is cut into batches, the same receipts make the same balances and lots.
    @Test(arguments: UInt64(1)...4)
    func `the order and the batches of receipts make no difference`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        var random = Dice(seed: seed)
        let members = (0..<4).map { _ in books.member() }
        var reference = ReferenceLedger()
        var receipts: [PostReceipt] = []
        for _ in 0..<80 {
            let member = try #require(members.randomElement(using: &random))
            let receipt = try books.receipt(
                of: member,
                try (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    try .of(
                        Int64.random(in: 0...200, using: &random), Bool.random(using: &random) ? .regular : .promotional
                    )
                })
            reference.earn(receipt, at: books.clock.now)
            receipts.append(receipt)
        }
        // Some come twice.
        receipts += (0..<20).compactMap { _ in receipts.randomElement(using: &random) }
        receipts.shuffle(using: &random)
        while !receipts.isEmpty {
            let size = min(receipts.count, Int.random(in: 1...30, using: &random))
            try await books.post(Array(receipts.prefix(size)))
            receipts.removeFirst(size)
        }

        for member in members {
            let days = try await books.account.lots(of: member)
            let found = Dictionary(uniqueKeysWithValues: days.map { ($0.expiresAt, $0.points.amount) })
            #expect(found == reference.days(member, at: books.clock.now), "seed \(seed)")
        }
        #expect(try await books.count("select count(*) from ledger.receipt") == 80)
        #expect(try await books.findings().isEmpty, "seed \(seed)")
    }

    /// The reference itself, where a mistake in it could agree with one of the database.
    @Test func `the reference's calendar knows leap days and month ends`() throws {
        let moments = [
            ("2028-02-28T21:00:00Z", "2028-08-31T21:00:00Z"), ("2027-08-31T20:59:59Z", "2028-02-29T21:00:00Z"),
            ("2027-12-31T20:59:59.999999Z", "2028-06-30T21:00:00Z"), ("2027-12-31T21:00:00Z", "2028-07-31T21:00:00Z"),
        ]
        for (earned, expires) in moments {
            let moment = try #require(Timestamp(earned))
            #expect(ReferenceCalendar.expiry("regular", creditedAt: moment) == Timestamp(expires), "\(earned)")
        }
        let beforeMidnight = try #require(Timestamp("2028-02-14T20:59:59Z"))
        #expect(ReferenceCalendar.expiry("grace", creditedAt: beforeMidnight) == Timestamp("2028-02-28T21:00:00Z"))
    }
}
