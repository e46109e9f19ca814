import JobQueue
import Kernel
import Postgres

/// Accepts goods that came back. A return is its fiscal triple, like a receipt: delivered again it is answered with what
/// has become of it, and other content under the same triple is refused.
struct AcceptReturns: Sendable {
    private let database: Database
    private let settle: SettleReturns
    private let clock: any WallClock
    private let ids: IDGenerator
    private let store = ReturnStore()
    private let authorisations = AuthorisationStore()

    init(database: Database, settle: SettleReturns, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.settle, self.clock, self.ids) = (database, settle, clock, ids)
    }

    /// The return as it stands, and whether it was known before.
    ///
    /// - Throws: `ReturnRefusal`.
    func callAsFunction(
        _ goods: TillReturn, from till: Till
    ) async throws -> (goods: GoodsReturn, isRepeated: Bool) {
        guard till.speaks(for: goods.store) else { throw ReturnRefusal.foreignStore }
        let fingerprint = goods.fingerprint
        if let known = try await self.store.find(goods.fiscal, in: self.database) {
            guard known.fingerprint == fingerprint else { throw ReturnRefusal.fiscalConflict }
            return (try await self.settled(known.id) ?? known, true)
        }
        let now = self.clock.now
        guard goods.at <= now + ReceiptLimits.aheadMax else { throw ReturnRefusal.fromTheFuture }
        guard goods.at >= (till.mayImport ? ReceiptLimits.earliest : now - ReceiptLimits.behindMax) else {
            throw ReturnRefusal.tooOld
        }
        guard try await self.authorisations.isStoreKnown(goods.store, in: self.database) else {
            throw ReturnRefusal.unknownStore
        }
        let new = GoodsReturn(
            id: self.ids.next(), goods: goods, till: till.key, fingerprint: fingerprint, state: .waiting,
            shares: goods.lines.map { _ in nil })
        let isNew = try await self.database.transaction { transaction in
            try await self.store.insert(new, at: now, in: transaction)
        }
        guard isNew else {
            // A twin of this delivery, or a receipt or another return under the same triple.
            let twin = try await self.store.find(goods.fiscal, in: self.database)
            guard let twin, twin.fingerprint == fingerprint else { throw ReturnRefusal.fiscalConflict }
            return (try await self.settled(twin.id) ?? twin, true)
        }
        return (try await self.settled(new.id) ?? new, false)
    }

    /// A return as its till sees it; nil for one of another store.
    func find(_ id: GoodsReturn.ID, for till: Till) async throws -> GoodsReturn? {
        guard let goods = try await self.store.find(id, in: self.database), till.speaks(for: goods.goods.store) else {
            return nil
        }
        return goods
    }

    /// A transaction of its own, after the return was committed: whoever posts the sale at this moment either sees the
    /// return, or holds the lock on the sale that this waits for.
    private func settled(_ id: GoodsReturn.ID) async throws -> GoodsReturn? {
        try await self.database.transaction { transaction in
            try await self.settle(id, in: transaction)
        }
        return try await self.store.find(id, in: self.database)
    }
}
