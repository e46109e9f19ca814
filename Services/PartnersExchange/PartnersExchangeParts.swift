import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import Redemption
import Web

/// The operations of partners-exchange, wired: what routes and handlers call.
struct PartnersExchangeParts: Sendable {
    /// What an operator may choose.
    struct Choices: Sendable {
        var limits = ExchangeLimits()
        var policy = RedemptionPolicy(action: .exchange)
        /// How long a partner's answer is waited for.
        var partnerPatience = Duration.seconds(8)
        var hosts = AllowedHosts("none")
        var cancelPage = "https://club.example/cancel#"
        /// Links that a member may try in an hour.
        var linksAnHour = 10
    }

    let database: Database
    let clock: any WallClock
    let idempotency: Idempotency
    let vault: ExchangeVault
    let http: PartnerHTTP
    let reach: ReachPartner
    let flow: RedemptionFlow
    let link: LinkNumber
    let quote: QuoteExchange
    let confirm: ConfirmExchange
    let show: ShowExchanges
    let hear: HearPartner
    let importFile: ImportDailyFile
    let reconcile: ReconcileClearing
    let decide: DecideWorkItem
    let manage: ManagePartners
    let changes: ChangeOffers
    let pay: PayPartner
    let attempts: RateLimiter
    let handlers: ExchangeHandlers
    private let verifier: AccessTokenVerifier

    /// - Parameters:
    ///   - calls: how auth and the ledger are asked; nil: over the bus.
    ///   - signingKeys: fetches auth's public keys.
    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, vault: ExchangeVault,
        choices: Choices = Choices(), calls: RedemptionCalls? = nil,
        signingKeys: @escaping @Sendable () async throws -> String
    ) {
        (self.database, self.clock, self.vault) = (database, clock, vault)
        self.idempotency = Idempotency(schema: PartnersExchangeModule.name, database: database, clock: clock)
        self.http = PartnerHTTP(timeout: choices.partnerPatience)
        self.reach = ReachPartner(
            database: database, http: self.http, vault: vault, clock: clock, hosts: choices.hosts)
        self.flow = RedemptionFlow(
            schema: PartnersExchangeModule.name, database: database, bus: bus, clock: clock, ids: ids,
            policy: choices.policy, calls: calls ?? RedemptionCalls(bus: bus), drive: DriveExchange.self,
            fulfilment: FulfilExchange(
                database: database, bus: bus, clock: clock, ids: ids, vault: vault, limits: choices.limits,
                reach: self.reach, cancelPage: choices.cancelPage))
        let standing = CheckStanding(bus: bus, clock: clock, limits: choices.limits)
        self.link = LinkNumber(
            database: database, vault: vault, clock: clock, limits: choices.limits, reach: self.reach)
        self.quote = QuoteExchange(
            database: database, bus: bus, clock: clock, ids: ids, limits: choices.limits, standing: standing,
            reach: self.reach, flow: self.flow)
        self.confirm = ConfirmExchange(
            database: database, clock: clock, standing: standing, reach: self.reach, flow: self.flow)
        self.show = ShowExchanges(database: database, vault: vault, flow: self.flow)
        self.hear = HearPartner(clock: clock, ids: ids, flow: self.flow)
        self.importFile = ImportDailyFile(database: database, clock: clock, ids: ids, hear: self.hear)
        self.reconcile = ReconcileClearing(database: database, bus: bus, clock: clock, ids: ids, flow: self.flow)
        self.decide = DecideWorkItem(database: database, clock: clock, flow: self.flow)
        self.manage = ManagePartners(vault: vault, clock: clock, ids: ids)
        self.changes = ChangeOffers(clock: clock, ids: ids, hosts: choices.hosts)
        self.pay = PayPartner(database: database, bus: bus, clock: clock, ids: ids)
        self.attempts = RateLimiter(
            RateLimitPolicy(burst: choices.linksAnHour, per: .seconds(3600)), clock: clock)
        self.handlers = ExchangeHandlers(flow: self.flow, reconcile: self.reconcile, clock: clock)
        self.verifier = AccessTokenVerifier(
            clock: clock,
            endedSessions: EndedSessions(schema: PartnersExchangeModule.name, database: database, clock: clock),
            keys: signingKeys)
    }

    /// The routes of this service.
    func addRoutes(to router: Router<ClubRequestContext>) {
        MemberRoutes(self).add(to: router, authentication: MemberAuthentication(verifier: self.verifier))
        StaffRoutes(self).add(to: router, verifier: self.verifier)
        OfferRoutes(self).add(to: router, verifier: self.verifier)
        PartnerRoutes(self).add(to: router)
    }
}
