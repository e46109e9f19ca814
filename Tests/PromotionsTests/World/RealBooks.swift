import Contracts
import JobQueue
import Kernel
import Ledger
import Postgres
import TestSupport
import Testing

@testable import Host
@testable import Promotions

extension Trait where Self == DatabaseTrait {
    /// What promotions needs, and the books as production has them.
    static var promotionsAndBooks: Self {
        .database(JobQueueMigrations.set, PromotionsModule.migrations, LedgerModule.migrations)
    }
}

/// The ledger itself, on the bus, with its own functions.
struct RealBooks: Sendable {
    private let world: TillWorld
    private let ledger: LedgerModule

    init(_ world: TillWorld) async throws {
        let test = try TestDatabase.current
        let database = test.database(for: "ledger")
        let secrets = LedgerModule.settings.filter(\.isSecret).map { ($0.name, String(repeating: "ab", count: 32)) }
        let settings = try Settings(
            HostSettings.declared(for: [LedgerModule.self]),
            from: SettingsSources(given: Dictionary(uniqueKeysWithValues: secrets), environment: [:]))
        self.world = world
        self.ledger = try await LedgerModule(
            ModuleResources(
                database: database, bus: TillWorld.bus("ledger", database), clock: world.clock,
                ids: .uuidV7(clock: world.clock), random: .system, settings: settings, logger: CapturedLogs.logger))
    }

    /// Runs promotions' workers and the ledger's around the body.
    func run<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        let database = try TestDatabase.current.database(for: "ledger")
        return try await withThrowingTaskGroup(of: R?.self) { group in
            let workers = [
                Worker(bus: self.world.bus, queues: PromotionsParts.queues, handlers: self.world.parts.handlers),
                Worker(
                    bus: TillWorld.bus("ledger", database), queues: self.ledger.queues, handlers: self.ledger.handlers),
                Worker(bus: TillWorld.bus("auth", self.world.owner), handlers: [Self.standing]),
            ]
            for worker in workers {
                group.addTask {
                    try await worker.run()
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// auth, of whom everybody may spend.
    private static var standing: Handler {
        .reply(FetchStanding.self) { _, _, _ in
            FetchStanding.Reply(
                MemberStanding(isActive: true, isSpendingLocked: false, phoneChangedAt: nil, language: "ru"))
        }
    }

    /// What a member can spend, and owes.
    func balance(_ member: Member.ID) async throws -> (available: Int64, debt: Int64) {
        let row = try await self.world.owner.first(
            "select available, debt from ledger.member where member_id = \(member)")
        return try row?.decode(Int64.self, Int64.self) ?? (0, 0)
    }

    func stickers(_ campaign: String, of member: Member.ID) async throws -> Int64 {
        try await self.world.owner.first(
            "select balance from ledger.sticker where member_id = \(member) and campaign = \(campaign)")?
            .decode(Int64.self) ?? 0
    }

    /// Waits until the books have so many points for a member, and promotions has heard of all its receipts: a return
    /// waits for that.
    func reach(_ available: Int64, debt: Int64 = 0, of member: Member.ID) async throws {
        do {
            try await eventually("the balance is \(available), the debt \(debt)") {
                let unheard = try await self.world.count(
                    "select count(*) from promotions.receipt where posted_at is null")
                let balance = try await self.balance(member)
                return unheard == 0 && balance == (available, debt)
            }
        } catch let error as NeverHappened {
            throw NeverHappened(description: "\(error.description): they are \(try await self.balance(member))")
        }
    }
}
