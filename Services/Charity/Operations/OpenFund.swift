import Contracts
import JobQueue
import Kernel
import Postgres

/// Has the ledger open a fund's accounts. Opening what is open changes nothing.
struct OpenFund: Sendable {
    let database: Database
    let clock: any WallClock
    let call: @Sendable (OpenPurpose) async throws -> OpenPurpose.Reply
    private let store = CampaignStore()

    init(
        database: Database, clock: any WallClock,
        call: @escaping @Sendable (OpenPurpose) async throws -> OpenPurpose.Reply
    ) {
        (self.database, self.clock, self.call) = (database, clock, call)
    }

    /// - Throws: ``DonationRefusal/fundNotOpen`` when the ledger refuses; `CallError` when it does not answer.
    func callAsFunction(_ fund: String) async throws {
        guard try await self.call(OpenPurpose(purpose: .charity(fund))).isOpen else {
            throw DonationRefusal.fundNotOpen
        }
        try await self.store.markOpen(fund, at: self.clock.now, in: self.database)
    }

    /// All that are not open.
    func all() async throws {
        for fund in try await self.store.funds(in: self.database) where fund.openedAt == nil {
            try await self(fund.id)
        }
    }
}
