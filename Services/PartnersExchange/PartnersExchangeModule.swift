import Contracts
public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
import Redemption
public import ServiceLifecycle
public import Web

/// Points into the miles, books and discounts of partners.
public struct PartnersExchangeModule: ServiceModule {
    public static let name: ServiceName = "partners_exchange"
    public static let migrations = MigrationSet(service: Self.name, target: "PartnersExchange")

    private static let key = Setting.secret(
        "CLUB_PARTNERS_EXCHANGE_KEY", minimumBytes: ExchangeVault.secretLength,
        meaning: "what members' numbers, codes and partners' secrets are sealed with")
    private static let hosts = Setting.text(
        "CLUB_PARTNERS_EXCHANGE_HOSTS", default: "none",
        meaning: "the hosts, or host:port, that partners may be reached at, with commas")
    private static let cancelPage = Setting.text(
        "CLUB_PARTNERS_EXCHANGE_CANCEL_PAGE", default: "http://127.0.0.1:8080/cancel#",
        meaning: "the page that the link of an SMS leads to; its token is put behind it")
    private static let patience = Setting.duration(
        "CLUB_PARTNERS_EXCHANGE_PATIENCE", default: .seconds(8), in: .milliseconds(100) ... .seconds(60),
        meaning: "how long a partner's answer is waited for")
    private static let firstPoll = Setting.duration(
        "CLUB_PARTNERS_EXCHANGE_POLL", default: .seconds(5), in: .milliseconds(100) ... .seconds(300),
        meaning: "after how long a partner that was silent is asked for the first time")

    public static let settings = [Self.key, Self.hosts, Self.cancelPage, Self.patience, Self.firstPoll]

    private let parts: PartnersExchangeParts

    public init(_ resources: ModuleResources) async throws {
        let (bus, settings) = (resources.bus, resources.settings)
        guard let vault = ExchangeVault(try settings.secret(Self.key)) else {
            throw SettingsError("The secret of partners-exchange must be at least 32 bytes long.")
        }
        var choices = PartnersExchangeParts.Choices()
        choices.partnerPatience = try settings.duration(Self.patience)
        choices.hosts = AllowedHosts(try settings.text(Self.hosts))
        choices.cancelPage = try settings.text(Self.cancelPage)
        choices.policy.silence.first = try settings.duration(Self.firstPoll)
        self.parts = PartnersExchangeParts(
            database: resources.database, bus: bus, clock: resources.clock, ids: resources.ids, vault: vault,
            choices: choices, signingKeys: { try await bus.call(FetchSigningKeys()).jwks })
    }

    public var queues: [QueueDeclaration] { ExchangeHandlers.queues }

    public var handlers: [Handler] { self.parts.handlers.all }

    public var periodicJobs: [PeriodicJob] {
        get throws { try ExchangeHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.parts.addRoutes(to: router)
    }

    public var services: [any Service] { [self.parts.http] }
}
