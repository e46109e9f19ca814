import HTTPTypes
import Hummingbird
import Kernel
import Metrics
import Postgres
import Web

/// Coupons: what there is to take, what a member has, and the code that is shown at the till.
struct CouponRoutes: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let ids: IDGenerator
    private let random: RandomBytes
    private let signer: CouponSigner
    private let redeem: RedeemCoupon
    private let exchange: ExchangeStickers
    private let idempotency: Idempotency
    private let coupons = CouponStore()
    private let wallet = WalletStore()
    private let stickers = StickerStore()
    private let redeemed = Counter(label: "promotions_coupons_redeemed_total")

    init(
        database: Database, clock: any WallClock, ids: IDGenerator, random: RandomBytes, signer: CouponSigner,
        redeem: RedeemCoupon, exchange: ExchangeStickers
    ) {
        (self.database, self.clock, self.ids, self.random) = (database, clock, ids, random)
        (self.signer, self.redeem, self.exchange) = (signer, redeem, exchange)
        self.idempotency = Idempotency(schema: "promotions", database: database, clock: clock)
    }

    func add(to router: Router<ClubRequestContext>) {
        router.get("v1/coupon-campaigns") { request, _ in
            let page = try PageRequest<CouponCampaign.ID>(request)
            let found = try await self.coupons.open(
                at: self.clock.now, after: page.after, limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(found.map(CampaignBody.init), limit: page.limit) { $0.id })
        }
        router.get("v1/sticker-campaigns") { _, _ in
            let found = try await self.stickers.open(at: self.clock.now, in: self.database)
            return try Answer.json(["items": found.map(StickerCampaignBody.init)])
        }
    }

    func addForMembers(to group: RouterGroup<ClubRequestContext>) {
        group.post("coupon-campaigns/:campaign/coupons") { request, context in
            try await self.claim(request, context)
        }
        group.post("coupon-campaigns/:campaign/exchanges") { request, context in
            let member = try context.requireMember().member
            let campaign = try context.id("campaign", of: CouponCampaign.self)
            let key = try Idempotency.key(of: request)
            return try await Self.answering {
                let (coupon, isRepeated) = try await self.exchange(campaign, for: member, key: key)
                let body = CouponBody(coupon, at: self.clock.now)
                return isRepeated
                    ? try .json(body, headers: [.idempotentReplayed: "true"]) : try .json(body, status: .created)
            }
        }
        group.get("coupons") { request, context in
            let member = try context.requireMember().member
            let page = try PageRequest<Coupon.ID>(request)
            let found = try await self.wallet.page(
                of: member, before: page.after, limit: page.limit + 1, in: self.database)
            let now = self.clock.now
            return try Answer.json(Page(found.map { CouponBody($0, at: now) }, limit: page.limit) { $0.id })
        }
        group.post("coupons/:coupon/token") { _, context in
            let member = try context.requireMember().member
            let id = try context.id("coupon", of: Coupon.self)
            return try await Self.answering { try await self.token(for: id, of: member) }
        }
    }

    func addForTills(to group: RouterGroup<ClubRequestContext>) {
        group.post("coupons/redemptions") { request, context in
            let till = Till(try context.requireTill())
            let key = try Idempotency.key(of: request)
            let bytes = try await StrictJSON.read(request)
            let body = try StrictJSON.decode(RedemptionBody.self, bytes: bytes)
            guard let store = StoreID(body.store) else {
                throw Problem(.invalidValue, at: "/store", detail: StoreID.requirement)
            }
            let wanted = RedeemCoupon.Request(
                token: body.token, store: store, key: key, fingerprint: Idempotency.fingerprint(bytes))
            return try await Self.answering {
                let (coupon, isRepeated) = try await self.redeem(wanted, from: till)
                if isRepeated { return try .json(RedeemedBody(coupon), headers: [.idempotentReplayed: "true"]) }
                self.redeemed.increment()
                return try .json(RedeemedBody(coupon), status: .created)
            }
        }
    }

    private func claim(_ request: Request, _ context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let campaign = try context.id("campaign", of: CouponCampaign.self)
        let (id, now) = (Coupon.ID(self.ids.uuid()), self.clock.now)
        return try await self.idempotency.answer(request, principal: "member:\(member)", body: []) { transaction in
            do {
                let taken = try await self.coupons.reserve(campaign, for: member, at: now, in: transaction)
                guard taken.source == .claim else { throw CouponRefusal.unknown }
                try await self.coupons.insert(id, of: taken, for: member, at: now, in: transaction)
            } catch let refusal as CouponRefusal {
                throw Problem(refusal)
            }
            guard let coupon = try await self.wallet.find(id, of: member, in: transaction) else {
                throw Problem(ProblemKind.notFound)
            }
            return try .json(CouponBody(coupon, at: now), status: .created)
        }
    }

    private func token(for id: Coupon.ID, of member: Member.ID) async throws -> Answer {
        guard let coupon = try await self.wallet.find(id, of: member, in: self.database) else {
            throw CouponRefusal.unknown
        }
        let now = self.clock.now
        switch coupon.state(at: now) {
        case .used: throw CouponRefusal.used
        case .expired, .withdrawn: throw CouponRefusal.over
        case .claimed: break
        }
        let (text, expiresAt) = try self.signer.token(for: id, nonce: self.random.next(16), at: now)
        return try .json(TokenAnswer(token: text, expiresAt: expiresAt))
    }

    private static func answering(_ work: () async throws -> Answer) async throws -> Answer {
        do {
            return try await work()
        } catch let refusal as CouponRefusal {
            throw Problem(refusal)
        }
    }
}

struct RedemptionBody: Decodable, Sendable {
    let token: String
    let store: String
}

struct TokenAnswer: Encodable, Sendable {
    let token: String
    let expiresAt: Timestamp
}

/// What a till is told of a coupon. Nothing of the member is in it.
struct RedeemedBody: Encodable, Sendable {
    let coupon: Coupon.ID
    let campaign: String
    let title: Title
    let benefit: CouponCampaign.Benefit

    init(_ coupon: WalletCoupon) {
        (self.coupon, self.campaign) = (coupon.id, coupon.code)
        (self.title, self.benefit) = (coupon.title, coupon.benefit)
    }
}

/// A coupon as its owner sees it.
struct CouponBody: Encodable, Sendable {
    let id: Coupon.ID
    let campaign: String
    let title: Title
    let benefit: CouponCampaign.Benefit
    let state: WalletCoupon.State
    let claimedAt: Timestamp
    let expiresAt: Timestamp
    let usedAt: Timestamp?

    init(_ coupon: WalletCoupon, at now: Timestamp) {
        (self.id, self.campaign, self.title, self.benefit) = (coupon.id, coupon.code, coupon.title, coupon.benefit)
        self.state = coupon.state(at: now)
        (self.claimedAt, self.expiresAt, self.usedAt) = (coupon.claimedAt, coupon.expiresAt, coupon.usedAt)
    }
}

/// Coupons of one kind as everybody sees them.
struct CampaignBody: Encodable, Sendable {
    let id: CouponCampaign.ID
    let code: String
    let title: Title
    let benefit: CouponCampaign.Benefit
    let from: Timestamp
    let to: Timestamp
    let left: Int64
    let memberMax: Int64
    let stickers: Price?

    struct Price: Encodable, Sendable {
        let campaign: String
        let count: Int64
    }

    init(_ campaign: CouponCampaign) {
        (self.id, self.code, self.title, self.benefit) = (campaign.id, campaign.code, campaign.title, campaign.benefit)
        (self.from, self.to) = (campaign.window.from, campaign.window.to)
        (self.left, self.memberMax) = (max(0, campaign.countMax - campaign.claimed), campaign.memberMax)
        if case .stickers(let stickers, let price) = campaign.source {
            self.stickers = Price(campaign: stickers, count: price)
        } else {
            self.stickers = nil
        }
    }
}

struct StickerCampaignBody: Encodable, Sendable {
    let campaign: String
    let title: Title
    let endsAt: Timestamp

    init(_ campaign: StickerCampaign) {
        (self.campaign, self.title, self.endsAt) = (campaign.code, campaign.title, campaign.endsAt)
    }
}
