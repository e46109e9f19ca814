import Contracts
public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// promotions, as the host runs it: what it needs of the world and what it gives to it.
public struct PromotionsModule: ServiceModule {
    public static let name: ServiceName = "promotions"

    public static let migrations = MigrationSet(service: Self.name, target: "Promotions")

    private static let requestsPerSecond = Setting.integer(
        "CLUB_PROMOTIONS_TILL_RATE", default: 5000, in: 1...1_000_000,
        meaning: "how many requests a second one till key may make")
    private static let hold = Setting.duration(
        "CLUB_PROMOTIONS_HOLD", default: .seconds(900), in: .seconds(60)...(.seconds(86_400)),
        meaning: "how long points stay set aside at a till before they are free again")

    private static let couponKey = Setting.secret(
        "CLUB_PROMOTIONS_COUPON_KEY", minimumBytes: 32,
        meaning: "what the key that signs the codes of coupons is made of")

    public static let settings = [Self.requestsPerSecond, Self.hold, Self.couponKey]

    private let parts: PromotionsParts

    public init(_ resources: ModuleResources) async throws {
        let bus = resources.bus
        self.parts = try PromotionsParts(
            PromotionsParts.Materials(
                database: resources.database, bus: bus, clock: resources.clock, ids: resources.ids,
                random: resources.random,
                limits: PromotionsParts.Limits(
                    requestsPerSecond: try resources.settings.integer(Self.requestsPerSecond),
                    hold: try resources.settings.duration(Self.hold)),
                couponKey: try resources.settings.secret(Self.couponKey),
                signingKeys: { try await bus.call(FetchSigningKeys()).jwks }))
    }

    public var queues: [QueueDeclaration] { PromotionsParts.queues }

    public var handlers: [Handler] { self.parts.handlers }

    public var periodicJobs: [PeriodicJob] {
        get throws { try PromotionsParts.periodicJobs }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.parts.addRoutes(to: router)
    }
}
