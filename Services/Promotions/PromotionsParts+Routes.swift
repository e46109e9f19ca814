import Contracts
import Hummingbird
import JobQueue
import Kernel
import Web

extension PromotionsParts {
    /// The routes of this service.
    func addRoutes(to router: Router<ClubRequestContext>) {
        let (database, clock, ids) = (self.m.database, self.m.clock, self.m.ids)
        DirectoryRoutes(database: database).add(to: router)
        StoreRoutes(database: database, clock: clock).add(to: router)
        let offers = OfferRoutes(database: database, clock: clock)
        offers.add(to: router)
        let coupons = CouponRoutes(
            database: database, clock: clock, ids: ids, random: self.m.random, signer: self.signer,
            redeem: RedeemCoupon(database: database, signer: self.signer, clock: clock),
            exchange: ExchangeStickers(database: database, bus: self.m.bus, clock: clock, ids: ids))
        coupons.add(to: router)
        self.addTillRoutes(coupons, to: router)
        let members = router.group("v1").add(middleware: MemberAuthentication(verifier: self.verifier))
            .add(
                middleware: RateLimit(self.limiter(self.m.limits.personPerSecond)) {
                    $1.accessToken?.member.description
                })
        offers.addForMembers(to: members)
        coupons.addForMembers(to: members)
        FavouriteRoutes(
            database: database, clock: clock, choose: ChooseFavourites(database: database, clock: clock),
            rulesets: self.rulesets
        ).add(to: members)
        ListRoutes(database: database, clock: clock, random: self.m.random).add(to: members)
        self.addStaffRoutes(to: router)
    }

    private func addTillRoutes(_ coupons: CouponRoutes, to router: Router<ClubRequestContext>) {
        let bus = self.m.bus
        let tills = router.group("pos/v1")
            .add(
                middleware: TillAuthentication(
                    schema: PromotionsModule.name, database: self.m.database, clock: self.m.clock
                ) { id in
                    try await bus.call(ResolveTillKey(id: id)).key.map { TillKeyProjection.Entry($0) }
                }
            )
            .add(middleware: RateLimit(self.limiter(self.m.limits.requestsPerSecond)) { $1.tillKey?.id })
        let receipts = tills.group().add(middleware: RequireScope("receipts"))
        let returns = ReturnRoutes(accept: self.acceptReturns)
        returns.add(to: receipts)
        TillRoutes(accept: self.accept, acceptBatch: self.acceptBatch, returns: returns, quote: self.quote)
            .add(to: receipts)
        coupons.addForTills(to: receipts)
        KeyRoutes(signer: self.signer, signingKeys: self.m.signingKeys).add(to: receipts)
        SpendingRoutes(authorise: self.authorise, end: self.end)
            .add(to: tills.group().add(middleware: RequireScope("spend")))
    }

    private func addStaffRoutes(to router: Router<ClubRequestContext>) {
        let (database, clock) = (self.m.database, self.m.clock)
        func group(_ roles: Set<StaffRole>) -> RouterGroup<ClubRequestContext> {
            router.group("staff/v1").add(middleware: StaffAuthentication(verifier: self.verifier, roles: roles))
                .add(
                    middleware: RateLimit(self.limiter(self.m.limits.personPerSecond)) {
                        $1.staffToken?.staff.description
                    }
                )
        }
        let (editors, approvers) = (group([.promoEditor]), group([.promoApprover]))
        let rulesets = RulesetRoutes(
            database: database, draft: DraftRuleset(clock: clock),
            activate: ActivateRuleset(clock: clock, rulesets: self.rulesets),
            simulate: SimulateRuleset(database: database, rulesets: self.rulesets),
            write: StaffWrite(database: database, clock: clock))
        rulesets.addForBoth(to: group([.promoEditor, .promoApprover]))
        rulesets.addForEditors(to: editors)
        rulesets.addForApprovers(to: approvers)
        let staff = StaffRoutes(database: database, bus: self.m.bus, ids: self.m.ids, clock: clock)
        staff.addForEditors(to: editors)
        staff.addForApprovers(to: approvers)
    }

    private func limiter(_ perSecond: Int) -> RateLimiter {
        RateLimiter(RateLimitPolicy(burst: perSecond, per: .seconds(1)), clock: self.m.clock)
    }
}
