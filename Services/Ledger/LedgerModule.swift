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

    private static let sealKey = Setting.secret(
        "CLUB_LEDGER_SEAL_KEY", minimumBytes: 32,
        meaning: "what the key that signs the sealed books is made of; another secret is another key")
    private static let sealInterval = Setting.duration(
        "CLUB_LEDGER_SEAL_INTERVAL", default: .seconds(5), in: .seconds(1) ... .seconds(3600),
        meaning: "how often what is final is sealed")
    private static let auditInterval = Setting.duration(
        "CLUB_LEDGER_AUDIT_INTERVAL", default: .seconds(86_400), in: .seconds(10) ... .seconds(30 * 86_400),
        meaning: "how often all of the books are verified, by one of the processes")

    public static let settings = [
        Self.pointsPerRouble, Self.upkeepInterval, Self.sealKey, Self.sealInterval, Self.auditInterval,
    ]

    private let receipts: ReceiptHandlers
    private let holds: HoldHandlers
    private let transfers: TransferHandlers
    private let nightly: NightlyHandlers
    private let sessions: SessionHandlers
    private let routes: LedgerRoutes
    private let upkeep: UpkeepService
    private let evidence: [Rounds]

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
        self.transfers = TransferHandlers(
            makeTransfers: MakeTransfers(bus: bus, clock: clock), openAccounts: OpenAccounts())
        self.nightly = NightlyHandlers(
            upkeep: upkeep, remindMembers: RemindMembersOfExpiry(database: database, bus: bus, clock: clock))
        self.routes = LedgerRoutes(
            account: ReadMemberAccount(database: database, clock: clock),
            proofs: ProveTransaction(database: database),
            statements: StatementRoutes(
                make: MakeStatement(database: database, clock: clock), print: PDFPrinter()),
            rate: rate ?? .programme,
            authentication: MemberAuthentication(
                verifier: AccessTokenVerifier(
                    clock: clock, endedSessions: EndedSessions(schema: Self.name, database: database, clock: clock)
                ) { try await bus.call(FetchSigningKeys()).jwks }))
        self.sessions = SessionHandlers(clock: clock)
        self.upkeep = UpkeepService(
            upkeep: upkeep, interval: try resources.settings.duration(Self.upkeepInterval), logger: resources.logger)
        self.evidence = try Self.evidence(resources)
    }

    public var queues: [QueueDeclaration] {
        [
            ReceiptHandlers.queue, HoldHandlers.queue, TransferHandlers.queue, NightlyHandlers.queue,
            SessionHandlers.queue,
        ]
    }

    public var handlers: [Handler] {
        self.receipts.all + self.holds.all + self.transfers.all + self.nightly.all + self.sessions.all
            + PurposeHandlers().all + CampaignHandlers().all
    }

    public var periodicJobs: [PeriodicJob] {
        get throws { try NightlyHandlers.periodic }
    }

    public func addRoutes(to router: Router<ClubRequestContext>) {
        self.routes.add(to: router)
    }

    public var services: [any Service] { [self.upkeep] + self.evidence }

    /// What is done again and again so that the books can be believed.
    private static func evidence(_ resources: ModuleResources) throws -> [Rounds] {
        let (database, clock, logger) = (resources.database, resources.clock, resources.logger)
        let seal = SealBooks(
            database: database, key: try SealKey(try resources.settings.secret(Self.sealKey)), clock: clock,
            random: resources.random, logger: logger)
        let audit = AuditBooks(
            database: database, clock: clock, interval: try resources.settings.duration(Self.auditInterval),
            logger: logger)
        let months = CloseMonths(database: database, clock: clock, logger: logger)
        return [
            Rounds(name: "Sealing", interval: try resources.settings.duration(Self.sealInterval), logger: logger) {
                try await seal()
            },
            Rounds(name: "Closing of months", interval: CloseMonths.interval, logger: logger) { try await months() },
            Rounds(name: "Audit", interval: AuditBooks.lookInterval, logger: logger) { try await audit() },
        ]
    }
}
