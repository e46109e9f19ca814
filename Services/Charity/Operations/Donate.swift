import Contracts
import JobQueue
import Kernel
import Postgres
import Redemption

/// A donation as its member asks for it, confirms it, and takes it back.
struct Donate: Sendable {
    /// A donation with its redemption: all that is to be said of it.
    struct Standing: Sendable {
        let donation: DonationRecord
        let campaign: Campaign
        let redemption: RedemptionRecord
    }

    private let database: Database
    private let flow: RedemptionFlow
    private let clock: any WallClock
    private let ids: IDGenerator
    private let rules: DonationRules
    private let openFund: OpenFund
    private let standing: @Sendable (Member.ID) async throws -> MemberStanding?
    private let donations = DonationStore()
    private let campaigns = CampaignStore()

    /// - Parameter standing: what auth says of a member; nil of one that it does not know.
    init(
        database: Database, flow: RedemptionFlow, clock: any WallClock, ids: IDGenerator, rules: DonationRules,
        openFund: OpenFund, standing: @escaping @Sendable (Member.ID) async throws -> MemberStanding?
    ) {
        (self.database, self.flow, self.clock, self.ids) = (database, flow, clock, ids)
        (self.rules, self.openFund, self.standing) = (rules, openFund, standing)
    }

    /// Makes the fund's accounts ready if they are not: the ledger holds nothing for a fund that it does not know.
    func prepare(_ campaign: Campaign.ID) async throws {
        guard let campaign = try await self.campaigns.campaign(campaign, in: self.database),
            campaign.runs(at: self.clock.now)
        else { throw DonationRefusal.unknownCampaign }
        if campaign.fund.openedAt == nil { try await self.openFund(campaign.fund.id) }
    }

    /// Says what a donation would be, and whether it is doubled: before anything is confirmed.
    ///
    /// - Parameter undoubled: the member knows that the shop adds nothing, and wants it all the same.
    /// - Throws: ``DonationRefusal``.
    func quote(
        _ amount: DonationAmount, to id: Campaign.ID, undoubled: Bool, by member: Member.ID,
        in transaction: borrowing Transaction
    ) async throws -> Standing {
        let now = self.clock.now
        guard let campaign = try await self.campaigns.campaign(id, in: transaction), campaign.runs(at: now) else {
            throw DonationRefusal.unknownCampaign
        }
        guard undoubled || campaign.doubles(amount.worth) else {
            throw DonationRefusal.matchSpent(left: campaign.matchLeft)
        }
        let recent = try await self.donations.withoutCode(
            by: member, since: now - self.rules.period, in: transaction)
        let donation = DonationRecord(
            id: self.ids.next(), member: member, campaign: campaign.id, fund: campaign.fund.id, points: amount.points,
            worth: amount.worth, match: undoubled ? .zero : amount.worth,
            needsCode: self.rules.needsCode(amount, recent: recent), confirmedAt: nil, bookedAt: nil, batch: nil)
        try await self.donations.insert(donation, at: now, in: transaction)
        let redemption = try await self.flow.open(
            NewRedemption(
                id: RedemptionRecord.ID(donation.id.raw), member: member, purpose: .charity(campaign.fund.id),
                points: amount.points, worth: donation.worth, match: donation.match, target: campaign.fund.name,
                pause: self.rules.undo, quotedUntil: now + self.rules.quoteLifetime),
            in: transaction)
        return Standing(donation: donation, campaign: campaign, redemption: redemption)
    }

    /// Has the code sent.
    func requestCode(
        for id: Donation.ID, of member: Member.ID, again: Bool
    ) async throws -> RequestStepUp.Reply {
        _ = try await self.find(id, of: member)
        return try await self.flow.requestCode(for: RedemptionRecord.ID(id.raw), of: member, again: again)
    }

    /// Confirms it: from now on it can be undone for a while, and then it is given.
    ///
    /// - Throws: ``DonationRefusal``, `RedemptionRefusal`.
    func confirm(_ id: Donation.ID, of member: Member.ID, code: String?) async throws -> Standing {
        let before = try await self.find(id, of: member)
        let redemption = RedemptionRecord.ID(id.raw)
        switch before.redemption.state {
        case .quoted, .confirming: try self.checkMatch(of: before)
        default: break
        }
        // Whoever has asked for a code where none is needed confirms by it.
        if before.donation.needsCode || before.redemption.state == .confirming {
            guard let code else { throw DonationRefusal.codeNeeded }
            _ = try await self.flow.confirm(redemption, of: member, code: code)
        } else {
            if before.redemption.state == .quoted { try await self.checkStanding(of: member) }
            _ = try await self.flow.begin(redemption, of: member)
        }
        return try await self.follow(id, of: member)
    }

    /// Waits until it is known whether the points are set aside: a job asks the ledger at the same time as this request, and
    /// whatever one of the two has begun the other leaves alone.
    private func follow(_ id: Donation.ID, of member: Member.ID) async throws -> Standing {
        for pause in Self.pauses {
            let now = try await self.find(id, of: member)
            switch now.redemption.state {
            case .reserving: try await Task.sleep(for: .milliseconds(pause))
            case .rejected, .reversed:
                let refusal = now.redemption.reason.flatMap { HoldRefusal(rawValue: $0) }
                if let refusal { throw RedemptionRefusal.hold(refusal, available: nil) }
                return now
            default: return now
            }
        }
        throw RedemptionRefusal.undecided
    }

    /// Between the looks; five seconds together.
    private static let pauses = [20, 40, 80, 160, 320, 640, 1280, 2460]

    /// Takes it back while that is possible.
    func undo(_ id: Donation.ID, of member: Member.ID) async throws -> Standing {
        let before = try await self.find(id, of: member)
        _ = try await self.flow.takeBack(before.redemption.id, of: member)
        try await self.flow.advance(before.redemption.id, of: member)
        return try await self.find(id, of: member)
    }

    /// - Throws: ``DonationRefusal/unknownDonation`` also for another member's.
    func find(_ id: Donation.ID, of member: Member.ID) async throws -> Standing {
        guard let donation = try await self.donations.find(id, of: member, in: self.database),
            let standing = try await self.standing(of: donation)
        else { throw DonationRefusal.unknownDonation }
        return standing
    }

    /// The member's donations, the latest first.
    func list(of member: Member.ID, before: Donation.ID?, limit: Int) async throws -> [Standing] {
        var found: [Standing] = []
        for donation in try await self.donations.list(of: member, before: before, limit: limit, in: self.database) {
            if let standing = try await self.standing(of: donation) { found.append(standing) }
        }
        return found
    }

    private func standing(of donation: DonationRecord) async throws -> Standing? {
        guard let campaign = try await self.campaigns.campaign(donation.campaign, in: self.database),
            let redemption = try await self.flow.store.find(
                RedemptionRecord.ID(donation.id.raw), of: donation.member, in: self.database)
        else { return nil }
        return Standing(donation: donation, campaign: campaign, redemption: redemption)
    }

    /// Spares the member a code that would be spent on a match that is gone; what decides is the budget's own row,
    /// later.
    private func checkMatch(of standing: Standing) throws(DonationRefusal) {
        guard standing.campaign.runs(at: self.clock.now) else { throw .unknownCampaign }
        guard standing.donation.match == .zero || standing.campaign.doubles(standing.donation.match) else {
            throw .matchSpent(left: standing.campaign.matchLeft)
        }
    }

    /// Where a code is sent auth looks at this by itself.
    private func checkStanding(of member: Member.ID) async throws {
        guard let standing = try await self.standing(member), standing.isActive else {
            throw DonationRefusal.notActive
        }
        if standing.isSpendingLocked { throw DonationRefusal.spendingLocked }
    }
}
