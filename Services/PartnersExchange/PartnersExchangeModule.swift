public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// Points into the miles, books and discounts of partners.
public struct PartnersExchangeModule: ServiceModule {
    public static let name: ServiceName = "partners_exchange"
    public static let migrations = MigrationSet(service: Self.name, target: "PartnersExchange")

    public init(_ resources: ModuleResources) async throws {}

    public var queues: [QueueDeclaration] { [] }
    public var handlers: [Handler] { [] }
    public func addRoutes(to router: Router<ClubRequestContext>) {}
}
