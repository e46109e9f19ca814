import Contracts
import Hummingbird
import JobQueue
import Kernel
import Photos
import Postgres
import Redemption
import Web

/// The operations of this service, wired: what routes and handlers call.
struct GiftCertificatesParts: Sendable {
    /// What everything here is made of.
    struct Materials: Sendable {
        var database: Database
        var bus: Bus
        var clock: any WallClock
        var ids: IDGenerator
        var random: RandomBytes
        var vault: CodeVault
        var linkBase: String
        var clientAddress = ClientAddress(trustedProxies: [])
        /// How long money stays set aside at a till.
        var hold = Duration.seconds(900)
        /// Requests a second that one till key may make.
        var tillRequestsPerSecond = 1000
        var lookUps = ClaimGift.Limits()
        var qrCodes = QRCodes()
        var printer = PagePrinter()
        /// Makes photos anew, no larger than a card has room for.
        var clean = PhotoCleaner(side: 1024)
        var neighbours: Neighbours
    }

    /// What this service asks of others.
    struct Neighbours: Sendable {
        var redemption: RedemptionCalls
        /// auth's public keys, with which tokens are verified.
        var signingKeys: @Sendable () async throws -> String

        /// Over the bus.
        init(bus: Bus) {
            self.redemption = RedemptionCalls(bus: bus)
            self.signingKeys = { try await bus.call(FetchSigningKeys()).jwks }
        }
    }

    let flow: RedemptionFlow
    let deliver: DeliverGifts
    let spend: SpendAtTill
    let claim: ClaimGift
    let pay: PayForGift
    let order: OrderGift
    let show: ShowGift
    private let photo: PutPhoto
    let handlers: GiftHandlers
    private let materials: Materials
    private let intervene: Intervene
    private let verifier: AccessTokenVerifier

    /// How long the ledger holds the points of a payment: long enough for a day without this service.
    private static let holdLifetime = Duration.seconds(2 * 86_400)

    init(_ m: Materials) {
        let sealer = GiftSealer(vault: m.vault, random: m.random)
        let flow = RedemptionFlow(
            schema: GiftCertificatesModule.name, database: m.database, bus: m.bus, clock: m.clock, ids: m.ids,
            policy: RedemptionPolicy(action: .certificate, holdLifetime: Self.holdLifetime, crediting: nil),
            calls: m.neighbours.redemption, drive: DrivePayment.self,
            fulfilment: CertificateFulfilment(clock: m.clock, sealer: sealer))
        (self.materials, self.flow) = (m, flow)
        self.order = OrderGift(database: m.database, clock: m.clock, ids: m.ids, sealer: sealer, flow: flow)
        self.pay = PayForGift(database: m.database, flow: flow, clock: m.clock, ids: m.ids, sealer: sealer)
        self.show = ShowGift(database: m.database, sealer: sealer, qrCodes: m.qrCodes, printer: m.printer)
        self.photo = PutPhoto(database: m.database, sealer: sealer, clean: m.clean)
        self.claim = ClaimGift(database: m.database, clock: m.clock, vault: m.vault, limits: m.lookUps)
        self.deliver = DeliverGifts(
            database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, sealer: sealer, linkBase: m.linkBase)
        self.spend = SpendAtTill(
            database: m.database, bus: m.bus, vault: m.vault, clock: m.clock, ids: m.ids, lifetime: m.hold)
        self.intervene = Intervene(database: m.database, bus: m.bus, clock: m.clock, ids: m.ids)
        self.verifier = AccessTokenVerifier(
            clock: m.clock,
            endedSessions: EndedSessions(schema: GiftCertificatesModule.name, database: m.database, clock: m.clock),
            keys: m.neighbours.signingKeys)
        self.handlers = GiftHandlers(
            flow: flow, deliver: self.deliver, spend: self.spend, claim: self.claim, intervene: self.intervene,
            writeOff: WriteOffGifts(database: m.database, bus: m.bus, clock: m.clock), clock: m.clock,
            database: m.database)
    }

    /// The routes of this service.
    func addRoutes(to router: Router<ClubRequestContext>) {
        let m = self.materials
        let refusing = Refusing(clock: m.clock)
        PublicRoutes(
            claim: self.claim, show: self.show, refusing: refusing,
            looks: RateLimiter(RateLimitPolicy(burst: 60, per: .seconds(60)), clock: m.clock),
            clientAddress: m.clientAddress
        ).add(to: router)
        let members = router.group("v1").add(middleware: MemberAuthentication(verifier: self.verifier))
        PhotoRoutes(photo: self.photo, refusing: refusing).add(to: members)
        GiftRoutes(
            order: self.order, pay: self.pay, show: self.show, claim: self.claim,
            idempotency: Idempotency(schema: GiftCertificatesModule.name, database: m.database, clock: m.clock),
            refusing: refusing, clientAddress: m.clientAddress
        ).add(to: members)
        StaffRoutes(
            intervene: self.intervene, redemptions: self.flow.store, database: m.database, clock: m.clock,
            refusing: refusing
        ).add(to: router) { StaffAuthentication(verifier: self.verifier, roles: $0) }
        self.addTillRoutes(to: router, refusing)
    }

    private func addTillRoutes(to router: Router<ClubRequestContext>, _ refusing: Refusing) {
        let m = self.materials
        let requests = RateLimiter(
            RateLimitPolicy(burst: m.tillRequestsPerSecond, per: .seconds(1)), clock: m.clock)
        let tills = router.group("pos/v1")
            .add(
                middleware: TillAuthentication(
                    schema: GiftCertificatesModule.name, database: m.database, clock: m.clock
                ) { id in
                    try await m.bus.call(ResolveTillKey(id: id)).key.map { TillKeyProjection.Entry($0) }
                }
            )
            .add(middleware: RateLimit(requests) { $1.tillKey?.id })
            .add(middleware: RequireScope("certificates"))
        TillRoutes(
            spend: self.spend, refusing: refusing,
            misses: RateLimiter(RateLimitPolicy(burst: 20, per: .seconds(600)), clock: m.clock)
        ).add(to: tills)
    }
}
