public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import ServiceLifecycle
public import Web

/// auth as a module of a process: what it is made of, in the order of reading.
public struct AuthModule: ServiceModule {
    public static let name: ServiceName = "auth"
    public static let migrations = MigrationSet(service: "auth", target: "Auth")
    public static let settings = AuthSettings.all + EdgeSettings.all

    public let queues =
        [
            QueueDeclaration("auth.calls", retention: .seconds(86_400)),
            // Enrolments carry names and phones: ciphertext to the database, and kept no longer than a day.
            QueueDeclaration("auth.enrolments", retention: .seconds(86_400), isEncrypted: true),
            // A code is of no use after ten minutes, so neither is trying longer; only auth may have codes sent.
            QueueDeclaration(
                "auth.sms", attemptsMax: 12, backoff: Backoff(cap: .seconds(60)), retention: .seconds(86_400),
                producers: ["auth"]),
        ] + MemberParts.queues + EdgeParts.queues

    private let parts: AuthParts

    /// - Throws: `SettingsError` for settings that make no sense together.
    public init(_ resources: ModuleResources) async throws {
        let settings = resources.settings
        let vault = Vault(
            master: try settings.secret(AuthSettings.masterKey), lookup: try settings.secret(AuthSettings.lookupKey))
        guard let vault else { throw SettingsError("The two secrets of auth must be at least 32 bytes long.") }
        let (policy, clientAddress) = (try AuthPolicy(settings), try ClientAddress(settings))
        let (staffRules, notices) = (try StaffRules(settings), try NoticePolicy(settings))
        // The last that can fail: what it opens is closed by the service that it comes with.
        let outlets = try Outlets(resources)
        self.parts = AuthParts(
            AuthParts.Materials(
                database: resources.database, bus: resources.bus, clock: resources.clock, ids: resources.ids,
                random: resources.random, vault: vault, gateway: outlets.sms, policy: policy,
                clientAddress: clientAddress, logger: resources.logger, outlets: outlets, staffRules: staffRules,
                notices: notices))
    }

    public var handlers: [Handler] { self.parts.handlers + self.parts.edge.handlers }

    public func addRoutes(to router: Router<ClubRequestContext>) { self.parts.addRoutes(to: router) }

    public var periodicJobs: [PeriodicJob] {
        get throws { try MemberParts.periodic }
    }

    public var services: [any Service] { [self.parts.keepHouse] + self.parts.edge.services }
}
