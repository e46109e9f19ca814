internal import Contracts
internal import FoundationEssentials
public import JobQueue
public import Kernel
internal import NIOConcurrencyHelpers
public import Postgres

/// Some service's end of the bus, in the present test's database, for saying and asking what that service would.
public struct Neighbour: Sendable {
    /// Its end of the bus.
    public let bus: Bus
    private let owner: Database
    private let receipts = NIOLockedValueBox<Int64>(0)

    /// - Parameters:
    ///   - service: in whose name it speaks.
    ///   - keys: of encrypted queues, as `CLUB_QUEUE_KEYS` has them.
    public init(service: ServiceName, keys: String? = nil) throws {
        let test = try TestDatabase.current
        self.owner = test.owner
        self.bus = Bus(
            service: service, database: test.owner,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: BusyMachine.callPatience,
            keyring: try keys.map { try Keyring(Secret($0)) }, logger: CapturedLogs.logger)
    }

    /// Whether so many of its queues are there.
    func declares(_ count: Int) async throws -> Bool {
        let prefix = "\(self.bus.service.text).%"
        return try await self.owner.one("select count(*) >= \(count) from queue.queue where name like \(prefix)")
            .decode(Bool.self)
    }

    /// Gives a member points, by a receipt that the ledger posts.
    public func earn(_ points: Int64, for member: Member.ID, at now: Timestamp) async throws {
        let number = self.receipts.withLockedValue { last in
            last += 1
            return last
        }
        guard let amount = Points(points), let store = StoreID("moscow-1"), let total = Kopecks(points * 1000),
            let fiscal = FiscalID(fn: "9960440300000001", fd: number, fpd: number)
        else { throw NeverHappened(description: "\(points) points cannot be earned") }
        let receipt = PostReceipt(
            receipt: Receipt.ID(UUID()), member: member, fiscal: fiscal, store: store, effectiveAt: now, total: total,
            accruals: [PostReceipt.Accrual(lotClass: .regular, points: amount, rule: "test")], ruleset: 1)
        guard case .done = try await self.bus.call(MakeTransfer(.earn(receipt)), deadline: .seconds(30)) else {
            throw NeverHappened(description: "the ledger posts a receipt")
        }
    }

    /// Sends an event, as its publisher would.
    public func publish(_ event: some Event) async throws {
        try await self.owner.transaction { transaction in try await self.bus.publish(event, in: transaction) }
    }

    /// Has a periodic job run now, whoever's it is, and returns when it has ended.
    public func runNow(_ name: PeriodicName) async throws {
        let administration = QueueAdministration(self.owner)
        try await eventually(
            "\(name) is declared", isTrue: { try await administration.periodicJobs().contains { $0.name == name } })
        let job = try await administration.runPeriodicNow(name, reason: "test")
        try await eventually("\(name) has run") {
            try await self.look("select exists (select from queue.outcome where id = \(job.raw))")
        }
    }

    /// The only value of a statement that looks behind the scenes.
    public func look<Value: PostgresDecodable>(_ sql: SQL, as _: Value.Type = Value.self) async throws -> Value {
        try await self.owner.one(sql).decode(Value.self)
    }
}
