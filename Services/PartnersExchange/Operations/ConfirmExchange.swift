import Contracts
import Kernel
import Postgres
import Redemption

/// The member's steps after the quote. Whether the account, the number and the partner are still well is asked anew: all
/// three may have changed since.
struct ConfirmExchange: Sendable {
    let database: Database
    let clock: any WallClock
    let standing: CheckStanding
    let reach: ReachPartner
    let flow: RedemptionFlow
    private let exchanges = ExchangeStore()
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let links = LinkStore()

    init(
        database: Database, clock: any WallClock, standing: CheckStanding, reach: ReachPartner, flow: RedemptionFlow
    ) {
        (self.database, self.clock, self.standing) = (database, clock, standing)
        (self.reach, self.flow) = (reach, flow)
    }

    /// Has the code sent that confirms it.
    /// - Throws: ``ExchangeRefusal``, `RedemptionRefusal`.
    func requestCode(
        for id: Exchange.ID, of member: Member.ID, again: Bool
    ) async throws -> RequestStepUp.Reply {
        try await self.check(id, of: member)
        return try await self.flow.requestCode(for: RedemptionRecord.ID(id.raw), of: member, again: again)
    }

    /// Confirms it; the points are set aside.
    /// - Throws: ``ExchangeRefusal``, `RedemptionRefusal`.
    func confirm(_ id: Exchange.ID, of member: Member.ID, code: String) async throws {
        let redemption = RedemptionRecord.ID(id.raw)
        // What is confirmed already is only shown: nothing can be refused about it any more.
        if let record = try await self.flow.store.find(redemption, of: member, in: self.database),
            ![.quoted, .confirming].contains(record.state)
        {
            _ = try await self.flow.confirm(redemption, of: member, code: code)
            return
        }
        try await self.check(id, of: member)
        _ = try await self.flow.confirm(redemption, of: member, code: code)
    }

    /// Takes it back, while it is not with the partner.
    /// - Throws: `RedemptionRefusal`.
    func takeBack(_ id: Exchange.ID, of member: Member.ID) async throws {
        _ = try await self.flow.takeBack(RedemptionRecord.ID(id.raw), of: member)
    }

    private func check(_ id: Exchange.ID, of member: Member.ID) async throws {
        guard let order = try await self.exchanges.find(id, of: member, in: self.database),
            let partner = try await self.partners.find(order.partner, in: self.database)
        else { throw RedemptionRefusal.notFound }
        // A quote outlives its offer's end by minutes, as was promised; it does not outlive a pause.
        guard partner.isActive, try await self.offers.find(order.offer, in: self.database)?.isActive == true else {
            throw ExchangeRefusal.offerClosed
        }
        if let number = order.numberMAC {
            let link = try await self.links.find(partner.code, of: member, in: self.database)
            guard let link, link.numberMAC == number else { throw ExchangeRefusal.linkChanged }
        }
        try self.reach.requireReachable(partner)
        try await self.standing(member)
    }
}
