public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// Donations, doubled by the shop.
public struct CharityModule: ServiceModule {
    public static let name: ServiceName = "charity"
    public static let migrations = MigrationSet(service: Self.name, target: "Charity")

    private static let key = Setting.secret(
        "CLUB_CHARITY_SETTLEMENT_KEY", minimumBytes: 32,
        meaning: "what the key that signs settlement files is made of; another secret is another key")
    private static let undo = Setting.duration(
        "CLUB_CHARITY_UNDO", default: DonationRules().undo, in: .seconds(1)...(.seconds(86_400)),
        meaning: "how long a confirmed donation can be undone")

    public static let settings = [Self.key, Self.undo]

    private let parts: CharityParts

    public init(_ resources: ModuleResources) async throws {
        var rules = DonationRules()
        rules.undo = try resources.settings.duration(Self.undo)
        self.parts = CharityParts(
            database: resources.database, bus: resources.bus, clock: resources.clock, ids: resources.ids,
            key: try SettlementKey(try resources.settings.secret(Self.key)), rules: rules,
            neighbours: CharityParts.Neighbours(bus: resources.bus))
    }

    public var queues: [QueueDeclaration] { CharityHandlers.queues }

    public var handlers: [Handler] { self.parts.handlers.all }

    public var periodicJobs: [PeriodicJob] {
        get throws { try CharityHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.parts.addRoutes(to: router)
    }
}
