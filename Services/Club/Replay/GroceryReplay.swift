import AsyncHTTPClient
import Contracts
import Kernel

/// Plays the grocery data into a running system, as its tills would.
struct GroceryReplay: Sendable {
    struct Options: Sendable {
        var selection = GroceryData.Selection()
        /// Kopecks for a cent: roubles for a dollar.
        var rate: Int64 = 60
        /// Receipts under way at a time.
        var concurrency = 16
        /// Seconds of the data for one second of ours; nil for as fast as possible.
        var speed: Double?
    }

    let data: GroceryData
    let options: Options
    let members: MemberDirectory
    let imports: GroceryImport
    let till: TillClient
    let ledger: LedgerDrain

    /// - Returns: what was done; ``ReplaySummary/errors`` says how many receipts were refused.
    func callAsFunction(_ receipts: [GroceryReceipt]) async throws -> ReplaySummary {
        let start = ContinuousClock.now
        let products = try await self.imports(self.data, stores: receipts.compactMap(\.storeID))
        let households = Set(receipts.map(\.household)).sorted().map { Household($0) }
        let enrolment = try await self.members.enrolMissing(households)
        let counts = try await self.post(receipts, cards: enrolment.cards, products: products)
        try await self.ledger.wait()
        return ReplaySummary(
            counts, members: households.count, newMembers: enrolment.new, took: ContinuousClock.now - start)
    }

    private func post(
        _ receipts: [GroceryReceipt], cards: [Int64: CardNumber], products: [Int64: GroceryProduct]
    ) async throws -> ReplayTally.Counts {
        let tally = ReplayTally()
        let bar = ProgressBar("Receipts", total: receipts.count)
        defer { bar.finish() }
        let pace = ReplayPace(
            speed: self.options.speed, begin: receipts.map(\.at).min() ?? Timestamp(microseconds: 0))
        // In the order of time, which is what `speed` stretches.
        let ordered = receipts.sorted { $0.at < $1.at }
        try await ordered.forEachConcurrently(width: self.options.concurrency) { receipt in
            try await pace.wait(for: receipt.at)
            tally.add(try await self.post(receipt, cards, products), lines: receipt.lines.count)
            bar.advance()
        }
        return tally.counts
    }

    private func post(
        _ receipt: GroceryReceipt, _ cards: [Int64: CardNumber], _ products: [Int64: GroceryProduct]
    ) async throws -> TillClient.Answer {
        guard let card = cards[receipt.household],
            let body = TillReceiptBody(receipt, card: card, rate: self.options.rate, products: products)
        else { return .refused(code: "out-of-range") }
        return try await self.till.post(body)
    }
}
