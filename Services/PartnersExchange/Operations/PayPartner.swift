import Contracts
import JobQueue
import Kernel
import Postgres

/// Pays a partner for settled exchanges: one person drafts, another approves, the ledger posts.
struct PayPartner: Sendable {
    enum Refusal: Error, Hashable, Sendable {
        case unknownPayout, unknownPartner
        /// Who has drafted it cannot approve it.
        case samePerson
        /// Somebody else has approved it.
        case approvedByOther
        /// The ledger did not answer in time; the same request again goes on with it.
        case undecided
    }

    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    private let payouts = PayoutStore()
    private let partners = PartnerStore()

    init(database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
    }

    /// - Throws: ``Refusal``.
    func draft(
        _ partner: String, until: Timestamp, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> Payout {
        guard try await self.partners.find(partner, in: transaction) != nil else { throw Refusal.unknownPartner }
        let payout = Payout(id: self.ids.next(), partner: partner, until: until, draftedBy: staff)
        try await self.payouts.insert(payout, at: self.clock.now, in: transaction)
        return payout
    }

    /// The approval is written before the ledger is asked, which pays once however often it is.
    /// - Throws: ``Refusal``.
    func approve(_ id: Payout.ID, by staff: Staff.ID) async throws -> Payout {
        guard let known = try await self.payouts.find(id, in: self.database) else { throw Refusal.unknownPayout }
        guard known.draftedBy != staff else { throw Refusal.samePerson }
        guard try await self.payouts.approve(id, by: staff, at: self.clock.now, in: self.database) else {
            throw Refusal.approvedByOther
        }
        var payout = known
        payout.approvedBy = staff
        if payout.points != nil || payout.refusal != nil { return payout }
        let transfer = Transfer.payOut(
            PayOut(id: LedgerTransfer.ID(id.raw), purpose: .partner(payout.partner), until: payout.until))
        let outcome: TransferOutcome
        do {
            outcome = try await self.bus.call(MakeTransfer(transfer))
        } catch is CallError {
            throw Refusal.undecided
        }
        switch outcome {
        case .done(let result):
            (payout.points, payout.kopecks) = (result.points ?? .zero, result.kopecks ?? .zero)
        case .refused(let refusal): payout.refusal = refusal.rawValue
        }
        try await self.payouts.answer(payout, in: self.database)
        return payout
    }
}
