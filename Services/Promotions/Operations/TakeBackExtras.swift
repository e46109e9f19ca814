import Contracts
import JobQueue
import Kernel
import Postgres

/// Takes back what goods that came back had brought beside points. The receipt's own ruleset is applied to what was kept, with
/// the facts of the sale: stickers and coupons that this would not have brought go, so that any number of partial returns
/// takes exactly what one return of everything does, and a rule whose threshold is undercut takes all that it gave.
///
/// Stickers that were spent meanwhile are owed: the next ones of the campaign pay for them. Coupons that were used are gone.
struct TakeBackExtras: Sendable {
    let rulesets: Rulesets
    let bus: Bus
    let ids: IDGenerator
    let clock: any WallClock
    private let gifts = GiftStore()
    private let stickers = StickerStore()

    init(rulesets: Rulesets, bus: Bus, ids: IDGenerator, clock: any WallClock) {
        (self.rulesets, self.bus, self.ids, self.clock) = (rulesets, bus, ids, clock)
    }

    /// When returns of these receipts are done, in the transaction that notes it.
    func callAsFunction(_ receipts: Set<Receipt.ID>, in transaction: borrowing Transaction) async throws {
        var moves: [StickerStore.Move] = []
        for receipt in receipts.sorted() {
            guard let gifted = try await self.gifts.lock(receipt, in: transaction) else { continue }
            let left = try await self.left(of: gifted, in: transaction)
            for given in try await self.gifts.stickers(of: receipt, in: transaction) {
                let kept = left.stickers.filter { $0.rule == given.rule && $0.campaign == given.campaign }
                    .reduce(0) { $0 + $1.count }
                let surplus = given.given - given.taken - kept
                guard surplus > 0 else { continue }
                moves.append(
                    StickerStore.Move(
                        id: self.ids.next(), member: gifted.member, campaign: given.campaign, count: -surplus,
                        receipt: receipt, rule: given.rule))
            }
            try await self.gifts.withdraw(
                of: receipt, but: Dictionary(left.coupons.map { ($0.campaign, Int64(1)) }, uniquingKeysWith: +),
                in: transaction)
        }
        try await self.send(moves, in: transaction)
    }

    /// The books had fewer stickers than were to be taken: halves are tried, so that what is there is taken to the last one.
    /// One alone stays owed.
    func split(_ id: LedgerTransfer.ID, in transaction: borrowing Transaction) async throws {
        guard let move = try await self.stickers.tooMany(id, in: transaction) else { return }
        let half = move.count / 2
        let first: LedgerTransfer.ID = self.ids.next()
        try await self.stickers.tryAgain(move.id, as: first, count: half, in: transaction)
        try await self.bus.send(PostTransfer(.stickers(move.renamed(first, count: half).message)), in: transaction)
        try await self.send([move.renamed(self.ids.next(), count: move.count - half)], in: transaction)
    }

    /// Stickers have come: what is owed is asked for again, as far as they reach.
    func collect(after id: LedgerTransfer.ID, in transaction: borrowing Transaction) async throws {
        for move in try await self.stickers.owed(after: id, in: transaction) {
            let again: LedgerTransfer.ID = self.ids.next()
            try await self.stickers.tryAgain(move.id, as: again, count: move.count, in: transaction)
            try await self.bus.send(
                PostTransfer(.stickers(move.renamed(again, count: move.count).message)), in: transaction)
        }
    }

    private func send(_ moves: [StickerStore.Move], in transaction: borrowing Transaction) async throws {
        guard !moves.isEmpty else { return }
        try await self.stickers.insert(moves, at: self.clock.now, in: transaction)
        try await self.bus.send(contentsOf: moves.map { PostTransfer(.stickers($0.message)) }, in: transaction)
    }

    /// What the goods that were kept would have brought.
    private func left(
        of gifted: GiftStore.Gifted, in transaction: borrowing Transaction
    ) async throws -> Evaluation {
        let version = try await self.rulesets.version(gifted.ruleset, in: transaction)
        let lines = try await self.gifts.kept(of: gifted, in: transaction)
        let sale = Sale(
            store: gifted.store, at: gifted.soldAt, card: gifted.card, lines: lines,
            total: Kopecks(lines.reduce(0) { $0 + $1.sum.amount }) ?? .zero)
        return try version.evaluate(
            sale, for: gifted.facts.facts(of: gifted.member, under: version.ruleset), at: gifted.acceptedAt)
    }
}

extension StickerStore.Move {
    fileprivate func renamed(_ id: LedgerTransfer.ID, count: Int64) -> Self {
        Self(
            id: id, member: self.member, campaign: self.campaign, count: count, receipt: self.receipt, rule: self.rule)
    }
}
