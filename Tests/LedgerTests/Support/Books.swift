import Contracts
import FoundationEssentials
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The ledger of the present test: its stores on the role that production uses, a clock that the test moves, and
/// receipts made to measure.
struct Books: Sendable {
    let database: Database
    /// May do everything: plants what must be found, looks behind the scenes.
    let owner: Database
    let clock: ManualClock
    let ids: IDGenerator
    private let lastReceipt = NIOLockedValueBox<Int64>(0)

    init(_ clock: ManualClock = ManualClock(), seed: UInt64 = 1) async throws {
        let test = try TestDatabase.current
        self.database = test.database(for: "ledger")
        self.owner = test.owner
        self.clock = clock
        self.ids = .seeded(seed, clock: clock)
        try await self.makePartitions()
    }

    /// Two years of partitions from the clock's present on.
    func makePartitions() async throws {
        try await self.database.execute("select ledger.make_partitions(\(self.clock.now), 24)")
    }

    func member() -> Member.ID { self.ids.next() }

    // MARK: Receipts

    /// A receipt that nobody has posted yet.
    func receipt(
        of member: Member.ID, _ accruals: [PostReceipt.Accrual], id: Receipt.ID? = nil, fiscal: FiscalID? = nil,
        total: Int64 = 123_400, effectiveAt: Timestamp? = nil
    ) throws -> PostReceipt {
        let number = self.lastReceipt.withLockedValue { last in
            last += 1
            return last
        }
        return PostReceipt(
            receipt: id ?? self.ids.next(), member: member,
            fiscal: try fiscal ?? #require(FiscalID(fn: "9960440300000001", fd: number, fpd: number * 7)),
            store: try #require(StoreID("moscow-1")), effectiveAt: effectiveAt ?? self.clock.now - .seconds(60),
            total: try #require(Kopecks(total)), accruals: accruals, ruleset: 1)
    }

    @discardableResult
    func post(_ receipts: [PostReceipt]) async throws -> [PostingOutcome] {
        try await self.database.transaction { transaction in
            try await ReceiptStore().post(receipts, at: self.clock.now, in: transaction)
        }
    }

    /// Posts a receipt that earns regular points, or as the class says.
    @discardableResult
    func earn(
        _ points: Int64, _ lotClass: LotClass = .regular, for member: Member.ID
    ) async throws -> PostingOutcome {
        let receipt = try self.receipt(of: member, [.of(points, lotClass)])
        return try #require(try await self.post([receipt]).first)
    }

    // MARK: Holds

    @discardableResult
    func place(
        _ hold: Hold.ID, _ points: Int64, for member: Member.ID, seconds: Int64 = 600
    ) async throws -> PlaceHold.Reply {
        let call = PlaceHold(
            hold: hold, member: member, points: try #require(Points(points)), purpose: .till,
            expiresInSeconds: seconds)
        return try await self.database.transaction { transaction in
            try await ReservePoints(clock: self.clock)(call, in: transaction)
        }
    }

    @discardableResult
    func capture(_ hold: Hold.ID, _ points: Int64? = nil, of member: Member.ID) async throws -> CaptureHold.Reply {
        let call = CaptureHold(hold: hold, member: member, points: try points.map { try #require(Points($0)) })
        return try await self.database.transaction { transaction in
            try await BurnPoints(clock: self.clock)(call, in: transaction)
        }
    }

    @discardableResult
    func void(_ hold: Hold.ID, of member: Member.ID) async throws -> VoidHold.Reply {
        let call = VoidHold(hold: hold, member: member)
        return try await self.database.transaction { transaction in
            try await ReleasePoints(clock: self.clock)(call, in: transaction)
        }
    }

    // MARK: Looking

    var account: ReadMemberAccount { ReadMemberAccount(database: self.database, clock: self.clock) }

    var upkeep: Upkeep { Upkeep(database: self.database, clock: self.clock, logger: CapturedLogs.logger) }

    func available(_ member: Member.ID) async throws -> Int64 {
        try await self.account.balance(of: member).available.amount
    }

    func feed(_ member: Member.ID) async throws -> [FeedLine] {
        try await self.account.feed(of: member, FeedQuery(limit: 1000))
    }

    /// What verification says; nothing when the books are right.
    func findings() async throws -> [Finding] {
        try await VerifyLedger(database: self.database, clock: self.clock)()
    }

    /// Whether a session of this database waits for a lock.
    func isAnybodyWaiting() async throws -> Bool {
        try await self.count(
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
            """) > 0
    }

    /// A number out of the owner's look behind the scenes.
    func count(_ sql: SQL) async throws -> Int64 {
        try await self.owner.one(sql).decode(Int64.self)
    }
}

extension PostReceipt.Accrual {
    /// An accrual of a rule named after the class.
    static func of(_ points: Int64, _ lotClass: LotClass = .regular) throws -> Self {
        Self(lotClass: lotClass, points: try #require(Points(points)), rule: "base-\(lotClass.rawValue)")
    }
}

extension PostingOutcome {
    var isPosted: Bool {
        if case .posted = self { true } else { false }
    }

    var isReplayed: Bool {
        if case .replayed = self { true } else { false }
    }

    var isRefused: Bool {
        if case .refused = self { true } else { false }
    }

    var transaction: LedgerTransaction.ID {
        switch self {
        case .posted(let id, _, _, _, _), .replayed(let id), .refused(let id): id
        }
    }
}

extension PlaceHold.Reply {
    var isPlaced: Bool {
        if case .placed = self { true } else { false }
    }
}

extension CaptureHold.Reply {
    var isCaptured: Bool {
        if case .captured = self { true } else { false }
    }
}

/// Random numbers that are the same in every run of a seed.
struct Dice: RandomNumberGenerator {
    private let bytes: RandomBytes

    init(seed: UInt64) {
        self.bytes = .seeded(seed)
    }

    mutating func next() -> UInt64 { self.bytes.nextUInt64() }
}
