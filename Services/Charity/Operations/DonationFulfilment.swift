import Contracts
import FoundationEssentials
import Kernel
import Metrics
import Postgres
import Redemption

/// What charity does with the points of a donation: nothing leaves the house. The fund is owed the money by the very
/// transaction of the ledger that takes the points: the member's part and the shop's together, or neither.
struct DonationFulfilment: Fulfilment {
    let rules: DonationRules
    let clock: any WallClock
    let database: Database
    private let donations = DonationStore()
    private let campaigns = CampaignStore()
    private let spent = Counter(label: "charity_match_spent_total")

    init(rules: DonationRules, clock: any WallClock, database: Database) {
        (self.rules, self.clock, self.database) = (rules, clock, database)
    }

    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        try await self.inquire(redemption)
    }

    /// Yes, but not while the month turns: then it is asked again a little later.
    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        let isTurning = try await self.donations.isMonthTurning(
            at: self.clock.now, margin: self.rules.monthMargin, in: self.database)
        return isTurning ? .pending : .credited(reference: nil)
    }

    func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws {
        switch redemption.state {
        case .reserving:
            try await self.confirm(redemption, in: transaction)
        case .rejected, .cancelling:
            try await self.takeBack(redemption, in: transaction)
        case .settled:
            guard let moment = redemption.capturedBy?.moment else { return }
            try await self.donations.book(
                Donation.ID(redemption.id.raw), of: redemption.member, at: moment, in: transaction)
        case .quoted, .confirming, .reserved, .submitted, .unknown, .accepted, .credited, .reversed, .manual, .expired:
            break
        }
    }

    /// The member's word is given: the shop's promise and the limit of what goes without a code belong to the same
    /// moment.
    private func confirm(_ redemption: RedemptionRecord, in transaction: borrowing Transaction) async throws {
        let (id, member, now) = (Donation.ID(redemption.id.raw), redemption.member, self.clock.now)
        guard let donation = try await self.donations.find(id, of: member, in: transaction) else {
            throw DonationRefusal.unknownDonation
        }
        if !donation.needsCode {
            try await self.donations.lockMember(member, in: transaction)
            let recent = try await self.donations.withoutCode(
                by: member, since: now - self.rules.period, in: transaction)
            guard let amount = DonationAmount(donation.points), !self.rules.needsCode(amount, recent: recent) else {
                throw DonationRefusal.codeNeeded
            }
        }
        try await self.donations.confirm(id, of: member, at: now, in: transaction)
        guard donation.match > .zero else { return }
        guard try await self.campaigns.promise(donation.match, of: donation.campaign, in: transaction) else {
            self.spent.increment()
            let campaign = try await self.campaigns.campaign(donation.campaign, in: transaction)
            throw DonationRefusal.matchSpent(left: campaign?.matchLeft ?? .zero)
        }
    }

    private func takeBack(_ redemption: RedemptionRecord, in transaction: borrowing Transaction) async throws {
        let (id, member) = (Donation.ID(redemption.id.raw), redemption.member)
        guard let donation = try await self.donations.find(id, of: member, in: transaction) else { return }
        try await self.donations.confirm(id, of: member, at: nil, in: transaction)
        if donation.match > .zero {
            try await self.campaigns.giveBack(donation.match, to: donation.campaign, in: transaction)
        }
    }
}

extension LedgerTransaction.ID {
    /// When the ledger recorded the transaction: its id is a UUID of version 7, which begins with the milliseconds.
    var moment: Timestamp {
        let bytes = withUnsafeBytes(of: self.raw.uuid) { Array($0.prefix(6)) }
        return Timestamp(microseconds: bytes.reduce(0) { $0 << 8 | Int64($1) } * 1000)
    }
}
