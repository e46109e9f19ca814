internal import Contracts
public import Host
public import Hummingbird
public import JobQueue
public import Kernel
public import Postgres
public import ServiceLifecycle
public import Web

/// The points ledger: posts receipts, holds and spends points, and shows members what they have.
public struct LedgerModule: ServiceModule {
    public static let name: ServiceName = "ledger"
    public static let migrations = MigrationSet(service: name, target: "Ledger")

    private static let pointsPerRouble = Setting.choice(
        "CLUB_LEDGER_POINTS_PER_ROUBLE", among: ["1", "2", "4", "5", "10", "20", "25", "50", "100"], default: "10",
        meaning: "how many points are worth a rouble")
    private static let upkeepInterval = Setting.duration(
        "CLUB_LEDGER_UPKEEP_INTERVAL", default: .seconds(30), in: .seconds(1) ... .seconds(3600),
        meaning: "how often holds whose time is over are voided and expired points written off")

    public static let settings = [Self.pointsPerRouble, Self.upkeepInterval]

    private let receipts: ReceiptHandlers
    private let holds: HoldHandlers
    private let transfers: TransferHandlers
    private let nightly: NightlyHandlers
    private let routes: LedgerRoutes
    private let upkeep: UpkeepService

    public init(_ resources: ModuleResources) async throws {
        let (database, bus, clock) = (resources.database, resources.bus, resources.clock)
        let rate = Int64(try resources.settings.text(Self.pointsPerRouble)).flatMap(ExchangeRate.init(pointsPerRouble:))
        let upkeep = Upkeep(database: database, clock: clock, logger: resources.logger)
        // Before the first receipt: the months that the migration made may be over.
        try await upkeep.makePartitions()

        self.receipts = ReceiptHandlers(
            postReceipts: PostReceipts(bus: bus, clock: clock, logger: resources.logger))
        self.holds = HoldHandlers(
            reservePoints: ReservePoints(clock: clock), burnPoints: BurnPoints(clock: clock),
            releasePoints: ReleasePoints(clock: clock))
        self.transfers = TransferHandlers(makeTransfers: MakeTransfers(bus: bus, clock: clock))
        self.nightly = NightlyHandlers(
            upkeep: upkeep, remindMembers: RemindMembersOfExpiry(database: database, bus: bus, clock: clock))
        self.routes = LedgerRoutes(
            account: ReadMemberAccount(database: database, clock: clock), rate: rate ?? .programme,
            authentication: MemberAuthentication(
                verifier: AccessTokenVerifier(clock: clock) { try await bus.call(FetchSigningKeys()).jwks }))
        self.upkeep = UpkeepService(
            upkeep: upkeep, interval: try resources.settings.duration(Self.upkeepInterval), logger: resources.logger)
    }

    public var queues: [QueueDeclaration] {
        [ReceiptHandlers.queue, HoldHandlers.queue, TransferHandlers.queue, NightlyHandlers.queue]
    }

    public var handlers: [Handler] {
        self.receipts.all + self.holds.all + self.transfers.all + self.nightly.all
    }

    public var periodicJobs: [PeriodicJob] {
        get throws { try NightlyHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.routes.add(to: router)
    }

    public var services: [any Service] { [self.upkeep] }
}
