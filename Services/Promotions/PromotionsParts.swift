import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import Web

/// The operations of promotions, wired: what routes and handlers call.
struct PromotionsParts: Sendable {
    /// What an operator may choose.
    struct Limits: Sendable {
        /// Requests a second that one till key may make; as many may come at once.
        var requestsPerSecond = 5000
        /// How long points stay set aside at a till.
        var hold = Duration.seconds(900)
    }

    let findTillKey: FindTillKey
    let accept: AcceptReceipts
    let acceptBatch: AcceptBatch
    let quote: QuoteSale
    let authorise: AuthoriseSpending
    let end: EndSpending
    private let database: Database
    private let clock: any WallClock
    private let requests: RateLimiter

    /// - Parameter signingKeys: fetches auth's public keys, with which the tokens of members' screens are verified.
    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, limits: Limits = Limits(),
        signingKeys: @escaping @Sendable () async throws -> String
    ) {
        let rulesets = Rulesets(database: database)
        let judge = JudgeSales(
            database: database, findMembers: FindMembers(database: database, bus: bus, clock: clock), rulesets: rulesets
        )
        let verifier = AccessTokenVerifier(
            clock: clock, endedSessions: EndedSessions(schema: "promotions", database: database, clock: clock),
            keys: signingKeys)
        self.database = database
        self.clock = clock
        self.requests = RateLimiter(
            RateLimitPolicy(burst: limits.requestsPerSecond, per: .seconds(1)), clock: clock)
        self.findTillKey = FindTillKey(database: database, bus: bus, clock: clock)
        self.accept = AcceptReceipts(
            database: database, bus: bus, judge: judge, months: Months(database: database), clock: clock, ids: ids)
        self.acceptBatch = AcceptBatch(accept: self.accept)
        self.quote = QuoteSale(judge: judge, clock: clock)
        self.authorise = AuthoriseSpending(
            database: database, bus: bus, rulesets: rulesets, clock: clock, ids: ids, hold: limits.hold
        ) { token in
            do {
                let token = try await verifier.verifyCard(token)
                return AuthoriseSpending.Token(member: token.member, id: token.id)
            } catch let problem as Problem where problem.status == .unauthorized {
                // The token stands in the body: the till itself is authorised well enough.
                return nil
            }
        }
        self.end = EndSpending(database: database, bus: bus, clock: clock)
    }

    /// The routes of this service.
    func addRoutes(to router: Router<ClubRequestContext>) {
        DirectoryRoutes(database: self.database).add(to: router)
        let tills = router.group("pos/v1")
            .add(
                middleware: TillAuthentication { id in
                    try await self.findTillKey(id).map { key in
                        TillKey(
                            id: key.id, hash: key.hash, store: key.store, scopes: key.scopes, revoked: key.isRevoked)
                    }
                }
            )
            .add(middleware: RateLimit(self.requests) { $1.tillKey?.id })
        TillRoutes(accept: self.accept, acceptBatch: self.acceptBatch, quote: self.quote)
            .add(to: tills.group().add(middleware: RequireScope("receipts")))
        SpendingRoutes(authorise: self.authorise, end: self.end)
            .add(to: tills.group().add(middleware: RequireScope("spend")))
    }

    /// Queues of this service.
    static let queues = [
        QueueDeclaration("promotions.directory", producers: ["auth"]),
        QueueDeclaration("promotions.events", producers: ["ledger"]),
    ]

    /// What this service hears.
    var handlers: [Handler] {
        let (cards, keys, points) = (OnCardIssued(), OnTillKeyChanged(), OnPointsEarned())
        let sessions = OnSessionEnded(clock: self.clock)
        return [
            .batch(CardIssued.self, on: "promotions.directory") { jobs, transaction in
                try await cards(jobs, in: transaction)
            },
            .batch(TillKeyChanged.self, on: "promotions.directory") { jobs, transaction in
                try await keys(jobs, in: transaction)
            },
            .batch(SessionEnded.self, on: "promotions.directory") { jobs, transaction in
                try await sessions(jobs, in: transaction)
            },
            .batch(PointsEarned.self, on: "promotions.events") { jobs, transaction in
                try await points(jobs, in: transaction)
            },
        ]
    }
}
