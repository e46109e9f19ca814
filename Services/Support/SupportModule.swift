public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// Tickets, photos and answers.
public struct SupportModule: ServiceModule {
    public static let name: ServiceName = "support"
    public static let migrations = MigrationSet(service: Self.name, target: "Support")

    public init(_ resources: ModuleResources) async throws {}

    public var queues: [QueueDeclaration] { [] }
    public var handlers: [Handler] { [] }
    public func addRoutes(to router: Router<ClubRequestContext>) {}
}
