import Kernel
import Postgres

/// Takes a coupon at a till. The token proves that the member shows it now; the coupon's row decides between two tills
/// that try at once; the same request again is answered the same.
struct RedeemCoupon: Sendable {
    struct Request: Sendable {
        let token: String
        let store: StoreID
        let key: IdempotencyKey
        let fingerprint: [UInt8]
    }

    private let database: Database
    private let signer: CouponSigner
    private let clock: any WallClock
    private let wallet = WalletStore()
    private let stores = AuthorisationStore()

    init(database: Database, signer: CouponSigner, clock: any WallClock) {
        (self.database, self.signer, self.clock) = (database, signer, clock)
    }

    /// - Throws: `CouponRefusal`.
    func callAsFunction(
        _ request: Request, from till: Till
    ) async throws -> (coupon: WalletCoupon, isRepeated: Bool) {
        if let earlier = try await self.earlier(request, from: till) { return (earlier, true) }
        guard till.speaks(for: request.store) else { throw CouponRefusal.foreignStore }
        let now = self.clock.now
        let token = try self.signer.verify(request.token, at: now)
        guard try await self.stores.isStoreKnown(request.store, in: self.database) else {
            throw CouponRefusal.unknownStore
        }
        let used: WalletCoupon? = try await self.database.transaction { transaction in
            let coupon = try await self.wallet.use(
                token.coupon, by: till.key, in: request.store, at: now, in: transaction)
            guard let coupon else { return nil }
            let redemption = WalletStore.Redemption(coupon: coupon.id, fingerprint: request.fingerprint)
            guard
                try await self.wallet.insert(
                    redemption, nonce: token.nonce, till: till.key, key: request.key, at: now, in: transaction)
            else { throw CouponRefusal.tokenUsed }
            return coupon
        }
        if let used { return (used, false) }
        // A twin of this request, another till, or a coupon whose time is over.
        if let twin = try await self.earlier(request, from: till) { return (twin, true) }
        if try await self.wallet.isNonceUsed(token.nonce, in: self.database) { throw CouponRefusal.tokenUsed }
        guard let coupon = try await self.wallet.find(token.coupon, in: self.database) else {
            throw CouponRefusal.unknown
        }
        throw coupon.state == .used ? CouponRefusal.used : CouponRefusal.over
    }

    private func earlier(_ request: Request, from till: Till) async throws -> WalletCoupon? {
        guard let known = try await self.wallet.redemption(till: till.key, key: request.key, in: self.database) else {
            return nil
        }
        guard known.fingerprint == request.fingerprint else { throw CouponRefusal.keyReused }
        return try await self.wallet.find(known.coupon, in: self.database)
    }
}
