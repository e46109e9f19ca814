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

    public init(_ resources: ModuleResources) async throws {}

    public var queues: [QueueDeclaration] { [] }
    public var handlers: [Handler] { [] }
    public func addRoutes(to router: Router<ClubRequestContext>) {}
}
