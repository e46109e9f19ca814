public import Hummingbird
public import JobQueue
public import Kernel
public import Logging
public import Postgres
public import ServiceLifecycle
public import Web

/// A service of the house, as the host runs it: alone in a process, or with others.
public protocol ServiceModule: Sendable {
    /// Also the schema and, with `club_` before it, the database role.
    static var name: ServiceName { get }
    /// Its tables. `openapi.yaml` lies beside the folder of these files.
    static var migrations: MigrationSet { get }
    /// What an operator may set, beside what every service has.
    static var settings: [Setting] { get }

    /// Puts the service together. The database can be reached and has all migrations by then; calls over the bus are
    /// answered only when the service runs.
    /// - Throws: ``SettingsError`` stops the process with its sentence. A `DatabaseError` that may pass is tried again.
    init(_ resources: ModuleResources) async throws

    /// The queues that it owns.
    var queues: [QueueDeclaration] { get }
    /// What it does with what it hears.
    var handlers: [Handler] { get }
    /// What it sends to itself again and again, without being asked.
    /// - Throws: `ScheduleError`: the service does not start.
    var periodicJobs: [PeriodicJob] { get throws }
    /// Adds what it serves over HTTP.
    func addRoutes(to router: Router<ClubRequestContext>)
    /// What else runs as long as the service does.
    var services: [any Service] { get }
}

extension ServiceModule {
    /// None.
    public static var settings: [Setting] { [] }
    /// None.
    public var periodicJobs: [PeriodicJob] { [] }
    /// None.
    public var services: [any Service] { [] }
}

/// What the host gives a service to work with.
public struct ModuleResources: Sendable {
    /// Connected as the service's own role.
    public let database: Database
    /// The service's own end of the bus.
    public let bus: Bus
    /// The time, which tests decide.
    public let clock: any WallClock
    /// Makes identifiers.
    public let ids: IDGenerator
    /// The source of everything random.
    public let random: RandomBytes
    /// The checked settings.
    public let settings: Settings
    /// Logs in the name of the service.
    public let logger: Logger
}
