import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import Web

/// The operations of promotions, wired: what routes and handlers call.
struct PromotionsParts: Sendable {
    /// What an operator may choose.
    struct Limits: Sendable {
        /// Requests a second that one till key may make; as many may come at once.
        var requestsPerSecond = 5000
        /// How long points stay set aside at a till.
        var hold = Duration.seconds(900)
        /// Requests a second of one member or colleague.
        var personPerSecond = 50
    }

    /// What everything here is made of.
    struct Materials: Sendable {
        let database: Database
        let bus: Bus
        let clock: any WallClock
        let ids: IDGenerator
        var random = RandomBytes.system
        var limits = Limits()
        /// What the key is made of that signs the tokens of coupons.
        let couponKey: Secret
        /// Fetches auth's public keys, with which the tokens of members' screens are verified.
        let signingKeys: @Sendable () async throws -> String
    }

    let accept: AcceptReceipts
    let acceptBatch: AcceptBatch
    let quote: QuoteSale
    let authorise: AuthoriseSpending
    let end: EndSpending
    let acceptReturns: AcceptReturns
    let watchPrices: WatchPrices
    let judgeLevels: JudgeLevels
    let rulesets: Rulesets
    let signer: CouponSigner
    let settleReturns: SettleReturns
    let takeBack: TakeBackExtras
    let sweepReturns: SweepReturns
    let verifier: AccessTokenVerifier
    let m: Materials

    /// - Throws: for a secret that no key can be made of.
    init(_ m: Materials) throws {
        let (database, bus, clock, ids) = (m.database, m.bus, m.clock, m.ids)
        let rulesets = Rulesets(database: database)
        let judge = JudgeSales(
            database: database, findMembers: FindMembers(database: database, bus: bus, clock: clock), rulesets: rulesets
        )
        let verifier = AccessTokenVerifier(
            clock: clock, endedSessions: EndedSessions(schema: "promotions", database: database, clock: clock),
            keys: m.signingKeys)
        (self.m, self.rulesets, self.verifier) = (m, rulesets, verifier)
        self.signer = try CouponSigner(m.couponKey)
        self.accept = AcceptReceipts(
            database: database, bus: bus, judge: judge, months: Months(database: database), clock: clock, ids: ids)
        self.acceptBatch = AcceptBatch(accept: self.accept)
        self.quote = QuoteSale(judge: judge, clock: clock)
        self.authorise = AuthoriseSpending(
            database: database, bus: bus, rulesets: rulesets, clock: clock, ids: ids, hold: m.limits.hold
        ) { token in
            do {
                let token = try await verifier.verifyCard(token)
                return AuthoriseSpending.Token(member: token.member, id: token.id)
            } catch let problem as Problem where problem.status == .unauthorized {
                // The token stands in the body: the till itself is authorised well enough.
                return nil
            }
        }
        self.end = EndSpending(database: database, bus: bus, clock: clock)
        self.takeBack = TakeBackExtras(rulesets: rulesets, bus: bus, ids: ids, clock: clock)
        self.settleReturns = SettleReturns(bus: bus, takeBack: self.takeBack)
        self.sweepReturns = SweepReturns(database: database, settle: self.settleReturns, clock: clock)
        self.acceptReturns = AcceptReturns(database: database, settle: self.settleReturns, clock: clock, ids: ids)
        self.watchPrices = WatchPrices(database: database, bus: bus, ids: ids)
        self.judgeLevels = JudgeLevels(database: database, clock: clock)
    }
}
