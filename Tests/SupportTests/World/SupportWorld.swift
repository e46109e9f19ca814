import Contracts
import FoundationEssentials
import Hummingbird
import HummingbirdTesting
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

extension Trait where Self == DatabaseTrait {
    /// A database of its own with what support needs.
    static var supportDatabase: Self { .database(JobQueueMigrations.set, SupportModule.migrations) }
}

/// support on a database of its own, on a Friday at noon, with a clock that stands still.
struct SupportWorld: Sendable {
    /// 27 November 2026, noon in Moscow: a working day.
    static let noon = Timestamp(secondsSince1970: 1_795_770_000)
    static let domain = "support.example"
    static let mailKey = String(repeating: "mail", count: 10)
    static let keys = SupportKeys(Secret([UInt8](repeating: 0x33, count: 32)))
    static let receipt = #"{"fn": "9999078900000001", "fd": 4711, "fpd": 1234567890}"#

    let clock = ManualClock(SupportWorld.noon)
    let database: Database
    let owner: Database
    let bus: Bus
    let ids: IDGenerator
    let issuer: Issuer
    let parts: SupportParts
    let member: Member.ID
    let stranger: Member.ID

    init(rules: SupportParts.Rules = .easy) throws {
        let test = try TestDatabase.current
        self.database = test.database(for: "support")
        self.owner = test.owner
        self.bus = try Self.bus("support", self.database)
        self.ids = IDGenerator.uuidV7(clock: self.clock, random: .system)
        (self.member, self.stranger) = (self.ids.next(), self.ids.next())
        let issuer = try Issuer()
        self.issuer = issuer
        self.parts = SupportParts(
            SupportParts.Materials(
                database: self.database, bus: self.bus, clock: self.clock, ids: self.ids, random: .system,
                signingKey: Secret([UInt8](repeating: 0x33, count: 32)), mailKey: Secret(Self.mailKey),
                mailDomain: Self.domain, calendar: try SupportModule.calendar(), rules: rules,
                signingKeys: { issuer.keySet }))
    }

    static func bus(_ service: ServiceName, _ database: Database) throws -> Bus {
        let test = try TestDatabase.current
        return Bus(
            service: service, database: database,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: BusyMachine.callPatience,
            keyring: try Keyring([("test", Secret([UInt8](repeating: 0x44, count: 32)))]), logger: CapturedLogs.logger)
    }

    /// Talks to the routes as the house serves them.
    func client<R: Sendable>(
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> R
    ) async throws -> R {
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages, random: .seeded()) { self.parts.addRoutes(to: $0) }
        return try await Application(router: router).test(.router, body)
    }

    /// A member's token.
    func token(_ member: Member.ID? = nil) async throws -> String {
        try await self.issuer.accessToken(member ?? self.member, at: self.clock.now)
    }

    /// A colleague's token.
    func token(_ staff: Staff.ID, _ roles: StaffRole...) async throws -> String {
        try await self.issuer.staffToken(staff, Set(roles), at: self.clock.now)
    }

    /// The one number that a statement gives.
    func count(_ sql: SQL) async throws -> Int64 {
        try await self.owner.one(sql).decode(Int64.self)
    }

    /// A fixture's bytes.
    static func fixture(_ name: String) throws -> [UInt8] {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return Array(try #require(FileManager.default.contents(atPath: "/\(folder)/Fixtures/\(name)")))
    }
}

extension SupportParts.Rules {
    /// Puzzles that a test solves at once.
    static var easy: Self { Self(proofBits: 8, openRequestsPerMinute: 1_000_000) }
}
