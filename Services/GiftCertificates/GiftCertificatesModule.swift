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

    private static let codeKey = Setting.secret(
        "CLUB_GIFT_CERTIFICATES_CODE_KEY", minimumBytes: CodeVault.secretLength,
        meaning:
            "what codes are found by and sealed with; when it changes, no certificate is found by its code any more")
    private static let link = Setting.text(
        "CLUB_GIFT_CERTIFICATES_LINK", default: "https://club.example/g/",
        meaning: "what the links to gifts begin with: the page that shows them")
    private static let hold = Setting.duration(
        "CLUB_GIFT_CERTIFICATES_HOLD", default: .seconds(900), in: .seconds(60)...(.seconds(86_400)),
        meaning: "how long money stays set aside at a till before it is free again")
    private static let tillRate = Setting.integer(
        "CLUB_GIFT_CERTIFICATES_TILL_RATE", default: 1000, in: 1...1_000_000,
        meaning: "how many requests a second one till key may make")
    private static let accountHour = Setting.integer(
        "CLUB_GIFT_CERTIFICATES_ACCOUNT_HOUR", default: 5, in: 1...1000,
        meaning: "how often an hour a member may look for a certificate by its code")
    private static let networkHour = Setting.integer(
        "CLUB_GIFT_CERTIFICATES_NETWORK_HOUR", default: 20, in: 1...1_000_000,
        meaning: "the same for a network (/24, /64)")
    private static let trustedProxies = Setting.text(
        "CLUB_GIFT_CERTIFICATES_TRUSTED_PROXIES", default: "none",
        meaning: "the proxies whose X-Forwarded-For is believed: addresses with commas, each for its /24 or /64")

    public static let settings = [
        Self.codeKey, Self.link, Self.hold, Self.tillRate, Self.accountHour, Self.networkHour, Self.trustedProxies,
    ]

    private let parts: GiftCertificatesParts

    /// - Throws: `SettingsError` for settings that make no sense.
    public init(_ resources: ModuleResources) async throws {
        let settings = resources.settings
        guard let vault = CodeVault(try settings.secret(Self.codeKey)) else {
            throw SettingsError("CLUB_GIFT_CERTIFICATES_CODE_KEY must be at least 32 bytes long.")
        }
        guard let clientAddress = ClientAddress(parsing: try settings.text(Self.trustedProxies)) else {
            throw SettingsError(
                "CLUB_GIFT_CERTIFICATES_TRUSTED_PROXIES must be addresses with commas between them, or none.")
        }
        self.parts = GiftCertificatesParts(
            GiftCertificatesParts.Materials(
                database: resources.database, bus: resources.bus, clock: resources.clock, ids: resources.ids,
                random: resources.random, vault: vault, linkBase: try settings.text(Self.link),
                clientAddress: clientAddress, hold: try settings.duration(Self.hold),
                tillRequestsPerSecond: try settings.integer(Self.tillRate),
                lookUps: ClaimGift.Limits(
                    account: Int32(try settings.integer(Self.accountHour)),
                    network: Int32(try settings.integer(Self.networkHour))),
                neighbours: GiftCertificatesParts.Neighbours(bus: resources.bus)))
    }

    public var queues: [QueueDeclaration] { GiftHandlers.queues }

    public var handlers: [Handler] { self.parts.handlers.all }

    public var periodicJobs: [PeriodicJob] {
        get throws { try GiftHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.parts.addRoutes(to: router)
    }
}
