import Crypto
import FoundationEssentials
import Hummingbird
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

extension Trait where Self == DatabaseTrait {
    /// A database of its own with what promotions needs.
    static var promotionsDatabase: Self { .database(JobQueueMigrations.set, PromotionsModule.migrations) }
}

/// promotions on a database of its own: a store, a till with a key, a member with a card, a clock that stands still.
struct TillWorld: Sendable {
    static let card = Make.card()
    /// Of the till of store 1.
    static let key = "ck_till1_secret"

    let clock = ManualClock(Make.noon)
    let member: Member.ID
    let database: Database
    let owner: Database
    let bus: Bus
    let parts: PromotionsParts
    let issuer: Issuer

    init() async throws {
        let test = try TestDatabase.current
        let ids = IDGenerator.uuidV7(clock: self.clock, random: .system)
        self.member = ids.next()
        self.database = test.database(for: "promotions")
        self.owner = test.owner
        self.bus = Self.bus("promotions", self.database)
        let issuer = try Issuer()
        self.issuer = issuer
        self.parts = try PromotionsParts(
            PromotionsParts.Materials(
                database: self.database, bus: self.bus, clock: self.clock, ids: ids,
                limits: PromotionsParts.Limits(personPerSecond: 100_000),
                couponKey: Secret("a secret of tests that is long enough to be one"),
                signingKeys: { issuer.keySet }))
        _ = try await ImportStores(database: self.database)([
            StoreRecord(id: Self.store("1")), StoreRecord(id: Self.store("2")),
        ])
        try await CardStore().upsert(
            [.init(number: Self.card, member: self.member, issuedAt: Make.noon)], in: self.database)
        try await self.addKey("till1", store: "1", scopes: ["receipts", "spend"])
    }

    static func bus(_ service: ServiceName, _ database: Database) -> Bus {
        let test = try? TestDatabase.current
        guard let test else { preconditionFailure("a bus of tests lives in a test's database") }
        // Notices to members are ciphertext on their way.
        let keyring = try? Keyring([("tests", Secret([UInt8](repeating: 7, count: 32)))])
        return Bus(
            service: service, database: database,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: .seconds(20), keyring: keyring, logger: CapturedLogs.logger)
    }

    static func store(_ text: String) -> StoreID {
        guard let store = StoreID(text) else { preconditionFailure("\(text) is no store") }
        return store
    }

    /// A till key whose secret is `secret`.
    func addKey(
        _ id: String, store: String? = nil, scopes: Set<String>, isRevoked: Bool = false,
        changedAt: Timestamp = Make.noon
    ) async throws {
        let key = TillKey(
            id: id, hash: Array(SHA256.hash(data: Data("secret".utf8))), store: store.map(Self.store), scopes: scopes,
            revoked: isRevoked)
        try await TillKeyProjection(schema: PromotionsModule.name).upsert(
            [.init(key: key, changedAt: changedAt)], in: self.database)
    }

    /// Talks to the routes as the house serves them.
    func client<R: Sendable>(
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> R
    ) async throws -> R {
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages, random: .seeded()) { self.parts.addRoutes(to: $0) }
        return try await Application(router: router).test(.router, body)
    }

    /// How many rows there are in every table that a till's request may write, and how many jobs.
    func footprint() async throws -> [Int64] {
        let row = try await self.owner.one(
            """
            select array[
                (select count(*) from promotions.receipt_key), (select count(*) from promotions.receipt),
                (select count(*) from promotions.receipt_line), (select count(*) from promotions.fraud_event),
                (select count(*) from promotions.authorisation), (select count(*) from promotions.member_card),
                (select count(*) from queue.job)
            ]
            """)
        return try row.decode([Int64].self)
    }

    /// The receipts that were sent to the ledger, as JSON.
    func postedJobs() async throws -> [PostedJob] {
        try await self.owner.query(
            """
            select job.args
            from queue.job
            join queue.queue on queue.id = job.queue_id
            where queue.name = 'ledger.receipts'
            order by job.id
            """
        ).map { try $0.decode(JSONB<PostedJob>.self).value }
    }

    /// What a test looks at in `PostReceipt`.
    struct PostedJob: Codable, Hashable, Sendable {
        let receipt: Receipt.ID
        let member: Member.ID
        let ruleset: Int64
        let accruals: [Accrual]

        struct Accrual: Codable, Hashable, Sendable {
            let points: Points
            let rule: String
        }
    }
}
