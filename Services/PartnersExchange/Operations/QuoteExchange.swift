import Contracts
import JobQueue
import Kernel
import Postgres
import Redemption

/// Makes a member an offer whose rate holds for ten minutes. Whatever would refuse it later refuses it now, before a code
/// is sent; nothing is set aside.
struct QuoteExchange: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let limits: ExchangeLimits
    let standing: CheckStanding
    let reach: ReachPartner
    let flow: RedemptionFlow
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let links = LinkStore()
    private let exchanges = ExchangeStore()

    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, limits: ExchangeLimits,
        standing: CheckStanding, reach: ReachPartner, flow: RedemptionFlow
    ) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
        (self.limits, self.standing, self.reach, self.flow) = (limits, standing, reach, flow)
    }

    /// What is known before the transaction that writes the quote begins.
    struct Prepared: Sendable {
        let offer: Offer
        let partner: Partner
        let terms: Offer.Terms
    }

    /// What needs other services, and so no transaction.
    /// - Throws: ``ExchangeRefusal``.
    func prepare(_ offer: String, points: Points, for member: Member.ID) async throws -> Prepared {
        guard PartnerText.isName(offer), let offer = try await self.offers.find(offer, in: self.database),
            let partner = try await self.partners.find(offer.partner, in: self.database)
        else { throw ExchangeRefusal.unknownOffer }
        guard partner.isActive, offer.isOpen(at: self.clock.now) else { throw ExchangeRefusal.offerClosed }
        let terms = try offer.terms(for: points)
        try await self.standing(member)
        try self.reach.requireReachable(partner)
        try await self.openAccounts(of: partner)
        return Prepared(offer: offer, partner: partner, terms: terms)
    }

    /// Writes the quote.
    /// - Throws: ``ExchangeRefusal``.
    func callAsFunction(
        _ prepared: Prepared, for member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> ShownExchange {
        let (offer, partner, terms) = (prepared.offer, prepared.partner, prepared.terms)
        let now = self.clock.now
        if offer.stock == 0 || offer.budget.map({ $0 < terms.points.amount }) == true { throw ExchangeRefusal.soldOut }
        let link = try await self.link(of: member, with: partner, at: now, in: transaction)
        let order = ExchangeOrder(
            id: self.ids.next(), member: member, partner: partner.code, offer: offer.code, points: terms.points,
            units: terms.units, number: link?.number, numberMAC: link?.numberMAC, tail: link?.tail, createdAt: now)
        try await self.checkLimits(order, at: now, in: transaction)
        let record = try await self.flow.open(
            NewRedemption(
                id: RedemptionRecord.ID(order.id.raw), member: member, purpose: .partner(partner.code),
                points: terms.points, worth: terms.worth, target: partner.title.ru,
                pause: try await self.pause(of: order, in: transaction), quotedUntil: now + self.limits.quote),
            in: transaction)
        try await self.exchanges.insert(order, in: transaction)
        return ShownExchange(
            order: order, record: record, offer: offer, partner: partner,
            steps: try await self.flow.store.steps(of: record.id, member: member, in: transaction), code: nil)
    }

    private func link(
        of member: Member.ID, with partner: Partner, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> PartnerLink? {
        guard partner.numberRule != nil else { return nil }
        guard let link = try await self.links.find(partner.code, of: member, in: transaction) else {
            throw ExchangeRefusal.notLinked
        }
        if let until = link.coolingUntil, now < until { throw ExchangeRefusal.cooling(until: until) }
        return link
    }

    /// Told now and decided when it is confirmed, since several quotes may be open.
    private func checkLimits(
        _ order: ExchangeOrder, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        let since = now - ExchangeLimits.day
        let spent = try await self.exchanges.spent(by: order.member, since: since, except: order.id, in: transaction)
        try FulfilExchange.check(order.points, spent: spent, limit: self.limits.memberDay)
        guard order.numberMAC != nil else { return }
        let there = try await self.exchanges.spent(on: order, since: since, in: transaction)
        try FulfilExchange.check(order.points, spent: there, limit: self.limits.numberDay)
    }

    /// A large exchange waits when nothing was credited to this number before.
    private func pause(of order: ExchangeOrder, in transaction: borrowing Transaction) async throws -> Duration {
        guard let number = order.numberMAC, order.points.amount >= self.limits.largeFirst else { return .zero }
        let isKnown = try await self.exchanges.hasCredited(
            number, at: order.partner, of: order.member, in: transaction)
        return isKnown ? .zero : self.limits.firstPause
    }

    /// The first exchange with a partner has its accounts opened.
    private func openAccounts(of partner: Partner) async throws {
        guard !partner.isOpen else { return }
        let reply: OpenPurpose.Reply
        do {
            reply = try await self.bus.call(OpenPurpose(purpose: .partner(partner.code)))
        } catch is CallError {
            throw ExchangeRefusal.undecided
        }
        guard reply.isOpen else { throw ExchangeRefusal.offerClosed }
        try await self.partners.markOpen(partner.code, in: self.database)
    }
}
