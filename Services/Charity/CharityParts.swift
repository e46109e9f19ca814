import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import Redemption
import Web

/// The operations of charity, wired: what routes and handlers call.
struct CharityParts: Sendable {
    let donate: Donate
    let settle: SettleMonths
    let flow: RedemptionFlow
    let handlers: CharityHandlers
    private let donations: DonationRoutes
    private let everybody: PublicRoutes
    private let staff: StaffRoutes
    private let verifier: AccessTokenVerifier

    /// What charity asks of others.
    struct Neighbours: Sendable {
        var redemption: RedemptionCalls
        var openPurpose: @Sendable (OpenPurpose) async throws -> OpenPurpose.Reply
        var totals: @Sendable (FetchPurposeTotals) async throws -> FetchPurposeTotals.Reply
        var standing: @Sendable (Member.ID) async throws -> MemberStanding?
        /// auth's public keys, with which tokens are verified.
        var signingKeys: @Sendable () async throws -> String

        /// Over the bus.
        init(bus: Bus) {
            self.redemption = RedemptionCalls(bus: bus)
            self.openPurpose = { try await bus.call($0) }
            self.totals = { try await bus.call($0) }
            self.standing = { try await bus.call(FetchStanding(member: $0)).standing }
            self.signingKeys = { try await bus.call(FetchSigningKeys()).jwks }
        }
    }

    /// How long the ledger holds the points: long enough for a week without this service.
    private static let holdLifetime = Duration.seconds(7 * 86_400)

    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, key: SettlementKey,
        rules: DonationRules = DonationRules(), neighbours: Neighbours
    ) {
        let flow = RedemptionFlow(
            schema: CharityModule.name, database: database, bus: bus, clock: clock, ids: ids,
            policy: RedemptionPolicy(action: .donation, holdLifetime: Self.holdLifetime, crediting: nil),
            calls: neighbours.redemption, drive: DriveDonation.self,
            fulfilment: DonationFulfilment(rules: rules, clock: clock, database: database))
        let openFund = OpenFund(database: database, clock: clock, call: neighbours.openPurpose)
        let settle = SettleMonths(
            database: database, clock: clock, ids: ids, key: key, rules: rules,
            pay: neighbours.redemption.makeTransfer)
        let donate = Donate(
            database: database, flow: flow, clock: clock, ids: ids, rules: rules, openFund: openFund,
            standing: neighbours.standing)
        let idempotency = Idempotency(schema: CharityModule.name, database: database, clock: clock)
        (self.flow, self.donate, self.settle) = (flow, donate, settle)
        self.handlers = CharityHandlers(
            flow: flow, openFund: openFund, settle: settle,
            tellDonors: TellDonors(database: database, bus: bus, clock: clock, ids: ids), clock: clock)
        self.donations = DonationRoutes(donate: donate, idempotency: idempotency, database: database)
        self.everybody = PublicRoutes(database: database, clock: clock, key: key, totals: neighbours.totals)
        self.staff = StaffRoutes(
            settle: settle, openFund: openFund, idempotency: idempotency, database: database, clock: clock, ids: ids,
            redemptions: flow.store)
        self.verifier = AccessTokenVerifier(
            clock: clock,
            endedSessions: EndedSessions(schema: CharityModule.name, database: database, clock: clock),
            keys: neighbours.signingKeys)
    }

    /// The routes of this service.
    func addRoutes(to router: Router<ClubRequestContext>) {
        self.everybody.add(to: router)
        self.donations.add(to: router.group("v1").add(middleware: MemberAuthentication(verifier: self.verifier)))
        self.staff.add(to: router) { StaffAuthentication(verifier: self.verifier, roles: $0) }
    }
}
