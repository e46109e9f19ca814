import Contracts
import JobQueue
import Kernel
import Metrics
import Postgres
import Redemption

/// What an exchange does with its points: orders from partners, codes from pools. And what must be true together with
/// each of its steps: limits, stock, what the member is told, what a person must look at.
struct FulfilExchange: Fulfilment {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let vault: ExchangeVault
    let limits: ExchangeLimits
    let reach: ReachPartner
    /// Where the link of an SMS leads; the token is put behind it.
    let cancelPage: String
    private let exchanges = ExchangeStore()
    private let offers = OfferStore()
    private let partners = PartnerStore()
    private let codes = CodeStore()
    private let items = WorkItemStore()

    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, vault: ExchangeVault,
        limits: ExchangeLimits, reach: ReachPartner, cancelPage: String
    ) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
        (self.vault, self.limits, self.reach, self.cancelPage) = (vault, limits, reach, cancelPage)
    }

    /// The row of a redemption has no order, which its transaction makes together with it.
    struct Incomplete: Error {}

    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        let (order, partner) = try await self.order(of: redemption)
        switch partner.kind {
        case .codes: return try await self.assignCode(to: order)
        // It stands in the next file to the partner, which lists what is submitted.
        case .file: return .accepted(reference: nil)
        case .rest, .webhook: return try await self.send(order, to: partner)
        }
    }

    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        let (order, partner) = try await self.order(of: redemption)
        switch partner.kind {
        case .codes: return try await self.assignCode(to: order)
        // Of an accepted order the partner's next file tells.
        case .file: return redemption.state == .accepted ? .pending : .accepted(reference: nil)
        case .rest: return try await self.reach(partner) { try await $0.inquire(order.id) }
        // Such a partner cannot be asked; the same order again is answered by how it stands.
        case .webhook: return try await self.send(order, to: partner)
        }
    }

    func settlement(of redemption: RedemptionRecord) -> Transfer? {
        .settle(SettleExchange(id: redemption.transfer, member: redemption.member, hold: redemption.hold))
    }

    func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws {
        let id = Exchange.ID(redemption.id.raw)
        guard let order = try await self.exchanges.find(id, of: redemption.member, in: transaction) else {
            throw Incomplete()
        }
        switch redemption.state {
        case .reserving: try await self.admit(order, in: transaction)
        case .reserved where redemption.pause > .zero: try await self.tell(.waiting, order, redemption, in: transaction)
        case .credited: try await self.tell(.done, order, redemption, in: transaction)
        case .reversed where from == .rejected || from == .cancelling:
            try await self.offers.giveBack(order.points, of: order.offer, in: transaction)
            try await self.tell(.undone, order, redemption, in: transaction)
        case .manual:
            try await self.items.open(
                WorkItem(
                    id: self.ids.next(), kind: .stuck, partner: order.partner, subject: "\(order.id)",
                    member: order.member, exchange: order.id, detail: redemption.reason, openedAt: self.clock.now),
                in: transaction)
        case .quoted, .confirming, .reserved, .submitted, .unknown, .accepted, .settled, .rejected, .cancelling,
            .reversed, .expired:
            break
        }
    }

    // MARK: Orders and codes

    private func order(of redemption: RedemptionRecord) async throws -> (ExchangeOrder, Partner) {
        let id = Exchange.ID(redemption.id.raw)
        guard let order = try await self.exchanges.find(id, of: redemption.member, in: self.database),
            let partner = try await self.partners.find(order.partner, in: self.database)
        else { throw Incomplete() }
        return (order, partner)
    }

    private func send(_ order: ExchangeOrder, to partner: Partner) async throws -> FulfilmentAnswer {
        let account = try order.number.map {
            try self.vault.open($0, at: PartnerLink.place(order.partner, order.member))
        }
        let wanted = PartnerGateway.Order(
            order: order.id, account: account, offer: order.offer, units: order.units, points: order.points)
        return try await self.reach(partner) { try await $0.submit(wanted) }
    }

    /// One code, for ever; asked again it is the same one.
    private func assignCode(to order: ExchangeOrder) async throws -> FulfilmentAnswer {
        let offer = try await self.offers.find(order.offer, in: self.database)
        return try await self.database.transaction { transaction in
            let now = self.clock.now
            guard let code = try await self.codes.claim(for: order, at: now, in: transaction) else {
                return .rejected(reason: "no-codes-left")
            }
            let left = try await self.codes.left(of: order.offer, in: transaction)
            Gauge(label: "partners_exchange_codes_left", dimensions: [("offer", order.offer)]).record(left)
            if let offer, left < offer.lowStock {
                try await self.items.open(
                    WorkItem(
                        id: self.ids.next(), kind: .lowStock, partner: order.partner, subject: order.offer, member: nil,
                        exchange: nil, detail: "\(left)", openedAt: now), in: transaction)
            }
            return .credited(reference: "code-\(code.id)")
        }
    }

    // MARK: Limits

    /// Counts against the day's limits and takes from stock and budget, at the moment from which on the points will be
    /// asked for. The limits of one member, and of one number, are looked at one after the other.
    private func admit(_ order: ExchangeOrder, in transaction: borrowing Transaction) async throws {
        try await self.exchanges.lockLimits(order, in: transaction)
        let since = self.clock.now - ExchangeLimits.day
        let spent = try await self.exchanges.spent(
            by: order.member, since: since, except: order.id, in: transaction)
        try Self.check(order.points, spent: spent, limit: self.limits.memberDay)
        if order.numberMAC != nil {
            let spent = try await self.exchanges.spent(on: order, since: since, in: transaction)
            try Self.check(order.points, spent: spent, limit: self.limits.numberDay)
        }
        guard try await self.offers.take(order.points, of: order.offer, in: transaction) else {
            throw ExchangeRefusal.soldOut
        }
    }

    static func check(_ points: Points, spent: Int64, limit: Int64) throws(ExchangeRefusal) {
        let left = max(0, limit - spent)
        guard points.amount <= left else { throw .overLimit(left: Points(left) ?? .zero) }
    }

    // MARK: What the member is told

    private func tell(
        _ news: ExchangeNews, _ order: ExchangeOrder, _ redemption: RedemptionRecord,
        in transaction: borrowing Transaction
    ) async throws {
        guard let offer = try await self.offers.find(order.offer, in: transaction) else { return }
        let token = self.vault.cancelToken(for: order.id, of: order.member)
        let (russian, english) = news.texts(
            of: order, target: redemption.target, unit: offer.unit, pause: redemption.pause,
            link: self.cancelPage + token)
        try await self.bus.send(
            Notify(
                id: self.ids.next(), recipient: .member(order.member), purpose: news.purpose,
                channels: [.push, .sms, .email], russian: russian, english: english), in: transaction)
    }
}
