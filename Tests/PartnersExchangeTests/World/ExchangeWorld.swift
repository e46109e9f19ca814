import Contracts
import FoundationEssentials
import Hummingbird
import HummingbirdTesting
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import PartnerSimulator
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import Ledger
@testable import PartnersExchange

extension Trait where Self == DatabaseTrait {
    /// A database of its own with the queue, the ledger and partners-exchange.
    static var exchangeDatabase: Self {
        .database(JobQueueMigrations.set, LedgerModule.migrations, PartnersExchangeModule.migrations)
    }
}

/// partners-exchange on real sockets, between the real ledger, an auth that does as it is told, and a partner that
/// misbehaves on command. The clock stands still until a test moves it.
struct ExchangeWorld: Sendable {
    static let secret = "a secret that both sides sign with, 32 at least"
    /// Numbers that partners take: the partner knows them, of Иванова.
    static let s7Number = "123456782"
    static let letualNumber = "2912345678906"

    let clock: ManualClock
    let owner: Database
    let database: Database
    let ledger: Database
    let ids: IDGenerator
    let issuer: Issuer
    let auth = AuthNeighbour()
    let book: PartnerBook
    let bus: Bus
    let parts: PartnersExchangeParts
    let http: HTTPTestClient
    private let receipts = NIOLockedValueBox<Int64>(0)

    func nextReceipt() -> Int64 {
        self.receipts.withLockedValue { number in
            number += 1
            return number
        }
    }

    /// Brings everything up, runs the body, and takes it down.
    static func run(
        limits: ExchangeLimits = ExchangeLimits(), drives: Bool = true,
        _ body: @escaping @Sendable (ExchangeWorld) async throws -> Void
    ) async throws {
        let book = PartnerBook()
        let clock = ManualClock()
        var setup = PartnerSimulator.Setup(secret: Self.secret)
        setup.slow = .milliseconds(2500)
        setup.silence = .seconds(4)
        setup.now = { clock.now.secondsSince1970 }
        let simulator = Application(
            router: PartnerSimulator(setup, book: book).router(),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: CapturedLogs.logger)
        try await simulator.test(.live) { partner in
            let port = try #require(partner.port)
            try await Self.serve(book, clock, partnerPort: port, limits: limits, drives: drives, body)
        }
    }

    private static func serve(
        _ book: PartnerBook, _ clock: ManualClock, partnerPort: Int, limits: ExchangeLimits, drives: Bool,
        _ body: @escaping @Sendable (ExchangeWorld) async throws -> Void
    ) async throws {
        let test = try TestDatabase.current
        let ids = IDGenerator.uuidV7(clock: clock, random: .system)
        let issuer = try Issuer()
        let vault = try #require(ExchangeVault(Secret([UInt8](repeating: 7, count: 32))))
        var choices = PartnersExchangeParts.Choices()
        choices.limits = limits
        choices.partnerPatience = .milliseconds(1500)
        choices.hosts = AllowedHosts("127.0.0.1:\(partnerPort)")
        let bus = try Self.bus("partners_exchange", test.database(for: "partners_exchange"))
        let parts = PartnersExchangeParts(
            database: test.database(for: "partners_exchange"), bus: bus, clock: clock, ids: ids, vault: vault,
            choices: choices, signingKeys: { issuer.keySet })
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages, random: .seeded()) { parts.addRoutes(to: $0) }
        let service = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: CapturedLogs.logger)
        let result: Result<Void, any Error>
        do {
            try await service.test(.live) { client in
                let world = ExchangeWorld(
                    owner: test.owner, database: test.database(for: "partners_exchange"),
                    ledger: test.database(for: "ledger"), ids: ids, issuer: issuer, book: book, bus: bus, parts: parts,
                    http: HTTPTestClient("http://127.0.0.1:\(try #require(client.port))"), clock: clock)
                book.webhook = "http://127.0.0.1:\(try #require(client.port))/partner/v1/letual/notifications"
                try await world.prepare(partnerPort: partnerPort)
                try await world.withWorkers(drives: drives) { try await body(world) }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await parts.http.shutdown()
        try result.get()
    }

    private init(
        owner: Database, database: Database, ledger: Database, ids: IDGenerator, issuer: Issuer, book: PartnerBook,
        bus: Bus, parts: PartnersExchangeParts, http: HTTPTestClient, clock: ManualClock
    ) {
        (self.owner, self.database, self.ledger) = (owner, database, ledger)
        (self.ids, self.issuer, self.book, self.bus) = (ids, issuer, book, bus)
        (self.parts, self.http, self.clock) = (parts, http, clock)
    }

    static func bus(_ service: ServiceName, _ database: Database) throws -> Bus {
        let test = try TestDatabase.current
        return Bus(
            service: service, database: database,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: BusyMachine.callPatience,
            keyring: try Keyring([("test", Secret([UInt8](repeating: 5, count: 32)))]), logger: CapturedLogs.logger)
    }

    private func prepare(partnerPort: Int) async throws {
        try await self.ledger.execute("select ledger.make_partitions(\(self.clock.now), 24)")
        for partner in ["s7", "letual"] {
            try await self.database.transaction { transaction in
                _ = try await self.parts.manage.change(
                    partner, .init(secret: Secret(Self.secret), isActive: nil, reason: "test"), by: self.ids.next(),
                    in: transaction)
                let asked = try await self.parts.changes.setAddress(
                    of: partner, to: "http://127.0.0.1:\(partnerPort)", .init(reason: "test", staff: self.ids.next()),
                    in: transaction)
                _ = try await self.parts.changes.decide(
                    asked.id, approves: true, comment: "test", by: self.ids.next(), in: transaction)
            }
        }
    }

    /// Runs the service's worker and those of its neighbours around the body.
    /// - Parameter drives: whether exchanges move by themselves; otherwise the test does it (``drive(_:of:)``).
    private func withWorkers(drives: Bool, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let clock = self.clock
        let ledgerBus = try Self.bus("ledger", self.owner)
        let holds = HoldHandlers(
            reservePoints: ReservePoints(clock: clock), burnPoints: BurnPoints(clock: clock),
            releasePoints: ReleasePoints(clock: clock))
        let transfers = TransferHandlers(
            makeTransfers: MakeTransfers(bus: ledgerBus, clock: clock), openAccounts: OpenAccounts())
        let workers = [
            Worker(
                bus: self.bus, queues: ExchangeHandlers.queues, handlers: drives ? self.parts.handlers.all : []),
            Worker(bus: try Self.bus("auth", self.owner), handlers: self.auth.handlers { clock.now }),
            Worker(bus: ledgerBus, handlers: holds.all + transfers.all),
        ]
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for worker in workers {
                group.addTask {
                    try await worker.run()
                    return false
                }
            }
            group.addTask {
                try await body()
                return true
            }
            defer { group.cancelAll() }
            while let isDone = try await group.next() {
                if isDone { return }
            }
        }
    }
}
