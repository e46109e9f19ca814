import Contracts
import FoundationEssentials
public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// Tickets, photos and answers: support as a module of a process.
public struct SupportModule: ServiceModule {
    public static let name: ServiceName = "support"
    public static let migrations = MigrationSet(service: Self.name, target: "Support")

    private static let signingKey = Setting.secret(
        "CLUB_SUPPORT_SIGNING_KEY", minimumBytes: 32,
        meaning: "what links of photos, reply addresses, keys of tickets and puzzles are signed with")
    private static let mailKey = Setting.secret(
        "CLUB_SUPPORT_MAIL_KEY", minimumBytes: 32,
        meaning: "what the mail server shows when it delivers a letter to /v1/inbound-mail")
    private static let mailDomain = Setting.text(
        "CLUB_SUPPORT_MAIL_DOMAIN", default: "support.example",
        meaning: "the domain whose letters the mail server delivers to /v1/inbound-mail: answers go there")
    private static let proofBits = Setting.integer(
        "CLUB_SUPPORT_PROOF_BITS", default: 18, in: 1...32,
        meaning: "how hard the puzzle of the anonymous form is; one more makes it twice as hard")
    private static let openRate = Setting.integer(
        "CLUB_SUPPORT_OPEN_RATE", default: 120, in: 1...1_000_000,
        meaning: "how many requests a minute one address may make to what needs no login")
    private static let apps = Setting.text(
        "CLUB_SUPPORT_APPS", default: AppLink.usual,
        meaning: "where members get the apps: ios, android, rustore, appgallery, each =https://…, with commas; or none")

    public static let settings = [
        Self.signingKey, Self.mailKey, Self.mailDomain, Self.proofBits, Self.openRate, Self.apps,
    ]

    private let parts: SupportParts

    /// - Throws: `SettingsError` for a domain that is none, and for links that are none.
    public init(_ resources: ModuleResources) async throws {
        let (settings, bus) = (resources.settings, resources.bus)
        let domain = try settings.text(Self.mailDomain)
        guard EmailAddress("reply@\(domain)") != nil else {
            throw SettingsError("CLUB_SUPPORT_MAIL_DOMAIN must be a domain such as support.example.ru.")
        }
        var rules = SupportParts.Rules()
        rules.proofBits = UInt8(clamping: try settings.integer(Self.proofBits))
        rules.openRequestsPerMinute = try settings.integer(Self.openRate)
        guard let apps = AppLink.parse(try settings.text(Self.apps)) else {
            throw SettingsError("CLUB_SUPPORT_APPS must be like ios=https://example.org/app, or none.")
        }
        rules.apps = apps
        self.parts = SupportParts(
            SupportParts.Materials(
                database: resources.database, bus: bus, clock: resources.clock, ids: resources.ids,
                random: resources.random, signingKey: try settings.secret(Self.signingKey),
                mailKey: try settings.secret(Self.mailKey), mailDomain: domain, calendar: try Self.calendar(),
                rules: rules, signingKeys: { try await bus.call(FetchSigningKeys()).jwks }))
    }

    public var queues: [QueueDeclaration] { SupportHandlers.queues }

    public var handlers: [Handler] { self.parts.handlers.all }

    public var periodicJobs: [PeriodicJob] {
        get throws { try SupportHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.parts.addRoutes(to: router)
    }

    /// The production calendar that comes with the program.
    static func calendar() throws -> WorkingCalendar {
        let file = try ResourceFolder.named("club_Support") + "/Data/production-calendar.json"
        guard let data = FileManager.default.contents(atPath: file) else {
            throw WorkingCalendar.Unreadable(description: "\(file) cannot be read")
        }
        return try WorkingCalendar(json: Array(data))
    }
}
