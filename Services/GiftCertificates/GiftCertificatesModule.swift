public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// Gift certificates from their design to the last kopeck.
public struct GiftCertificatesModule: ServiceModule {
    public static let name: ServiceName = "gift_certificates"
    public static let migrations = MigrationSet(service: Self.name, target: "GiftCertificates")

    public init(_ resources: ModuleResources) async throws {}

    public var queues: [QueueDeclaration] { [] }
    public var handlers: [Handler] { [] }
    public func addRoutes(to router: Router<ClubRequestContext>) {}
}
