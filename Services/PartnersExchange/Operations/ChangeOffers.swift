import Kernel
import Postgres

/// Offers and addresses as colleagues change them: one asks, another one decides; pausing and ending, which only take
/// something away, need nobody else. All of it stays in `partners_exchange.change`.
struct ChangeOffers: Sendable {
    enum Refusal: Error, Hashable, Sendable {
        case unknownPartner, unknownOffer, unknownChange
        /// There is an offer of that name.
        case offerExists
        /// Another change of the same thing waits.
        case pending
        /// What is wanted is not possible.
        case flaw(OfferTerms.Flaw)
        /// The operator does not allow to talk to this address.
        case addressNotAllowed
        /// Orders do not go to this partner by HTTP.
        case notRemote
        /// Who has asked cannot decide.
        case samePerson
        /// Somebody has decided.
        case decided
        /// It was possible when it was asked for, and is not any more.
        case stale(OfferTerms.Flaw)
    }

    let clock: any WallClock
    let ids: IDGenerator
    let hosts: AllowedHosts
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let changes = ChangeStore()

    init(clock: any WallClock, ids: IDGenerator, hosts: AllowedHosts) {
        (self.clock, self.ids, self.hosts) = (clock, ids, hosts)
    }

    /// What a colleague says beside what is to be changed.
    struct Request: Sendable {
        let reason: String
        let staff: Staff.ID
    }

    // MARK: Asking

    /// - Throws: ``Refusal``.
    func add(
        _ new: NewOffer, of partner: String, _ request: Request, in transaction: borrowing Transaction
    ) async throws -> PartnerChange {
        guard let partner = try await self.partners.find(partner, in: transaction) else { throw Refusal.unknownPartner }
        guard try await self.offers.find(new.offer, in: transaction) == nil else { throw Refusal.offerExists }
        try Self.refusing { () throws(OfferTerms.Flaw) in try new.terms.check(of: partner.kind) }
        return try await self.ask(
            .addOffer, partner.code, new.offer, .init(new: new), request, in: transaction)
    }

    /// - Throws: ``Refusal``.
    func change(
        _ offer: String, _ change: OfferChange, _ request: Request, in transaction: borrowing Transaction
    ) async throws -> PartnerChange {
        let (known, partner) = try await self.find(offer, in: transaction)
        try Self.refusing { () throws(OfferTerms.Flaw) in
            try change.applied(to: known.managed(by: partner.kind)).check(of: partner.kind)
        }
        return try await self.ask(
            .changeOffer, partner.code, offer, .init(change: change), request, in: transaction)
    }

    /// Where a partner is to be reached: an address that the operator allows, and that two colleagues want.
    /// - Throws: ``Refusal``.
    func setAddress(
        of partner: String, to address: String, _ request: Request, in transaction: borrowing Transaction
    ) async throws -> PartnerChange {
        guard let known = try await self.partners.find(partner, in: transaction) else { throw Refusal.unknownPartner }
        guard known.isRemote else { throw Refusal.notRemote }
        guard self.hosts.allows(address) else { throw Refusal.addressNotAllowed }
        return try await self.ask(.setAddress, partner, nil, .init(address: address), request, in: transaction)
    }

    private func ask(
        _ kind: PartnerChange.Kind, _ partner: String, _ offer: String?, _ wanted: PartnerChange.Wanted,
        _ request: Request, in transaction: borrowing Transaction
    ) async throws -> PartnerChange {
        let change = PartnerChange(
            id: self.ids.next(), kind: kind, partner: partner, offer: offer, wanted: wanted, reason: request.reason,
            state: .pending, madeBy: request.staff, madeAt: self.clock.now)
        guard try await self.changes.insert(change, in: transaction) else { throw Refusal.pending }
        return change
    }

    // MARK: Alone

    /// Nobody can have it until two colleagues let it go on. Exchanges under way are not touched.
    /// - Throws: ``Refusal``.
    func pause(_ offer: String, _ request: Request, in transaction: borrowing Transaction) async throws -> Offer {
        try await self.alone(.pauseOffer, offer, request, in: transaction) { $0.isActive = false }
    }

    /// It is over now, whatever its end was.
    /// - Throws: ``Refusal``.
    func end(_ offer: String, _ request: Request, in transaction: borrowing Transaction) async throws -> Offer {
        let now = self.clock.now
        return try await self.alone(.endOffer, offer, request, in: transaction) { terms in
            terms.validTo = min(terms.validTo ?? now, now)
        }
    }

    private func alone(
        _ kind: PartnerChange.Kind, _ offer: String, _ request: Request, in transaction: borrowing Transaction,
        _ body: (inout OfferTerms) -> Void
    ) async throws -> Offer {
        let (_, partner) = try await self.find(offer, in: transaction)
        guard let locked = try await self.offers.lock(offer, in: transaction) else { throw Refusal.unknownOffer }
        let before = locked.managed(by: partner.kind)
        var terms = before
        body(&terms)
        let change = PartnerChange(
            id: self.ids.next(), kind: kind, partner: partner.code, offer: offer, wanted: .init(), before: before,
            reason: request.reason, state: .done, madeBy: request.staff, madeAt: self.clock.now)
        guard try await self.changes.insert(change, in: transaction) else { throw Refusal.pending }
        try await self.offers.update(offer, terms, in: transaction)
        return try await self.find(offer, in: transaction).offer
    }

    // MARK: Deciding

    /// Decides about what somebody else has asked for; what is approved is done in this transaction.
    /// - Throws: ``Refusal``.
    func decide(
        _ id: PartnerChange.ID, approves: Bool, comment: String, by staff: Staff.ID,
        in transaction: borrowing Transaction
    ) async throws -> PartnerChange {
        guard var change = try await self.changes.lock(id, in: transaction) else { throw Refusal.unknownChange }
        guard change.state == .pending else { throw Refusal.decided }
        guard change.madeBy != staff else { throw Refusal.samePerson }
        if approves { change.before = try await self.carryOut(change, by: staff, in: transaction) }
        change.state = approves ? .approved : .rejected
        (change.decidedBy, change.decidedAt, change.comment) = (staff, self.clock.now, comment)
        try await self.changes.decide(change, in: transaction)
        return change
    }

    /// - Returns: how the offer was before.
    private func carryOut(
        _ change: PartnerChange, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> OfferTerms? {
        if let new = change.wanted.new {
            guard try await self.offers.insert(new, of: change.partner, in: transaction) else {
                throw Refusal.offerExists
            }
        } else if let wanted = change.wanted.change, let offer = change.offer {
            let (_, partner) = try await self.find(offer, in: transaction)
            guard let locked = try await self.offers.lock(offer, in: transaction) else { throw Refusal.unknownOffer }
            let before = locked.managed(by: partner.kind)
            let terms: OfferTerms
            do throws(OfferTerms.Flaw) {
                terms = try wanted.applied(to: before)
                try terms.check(of: partner.kind)
            } catch {
                throw Refusal.stale(error)
            }
            try await self.offers.update(offer, terms, in: transaction)
            return before
        } else if let address = change.wanted.address {
            // The operator may allow something else by now.
            guard self.hosts.allows(address) else { throw Refusal.addressNotAllowed }
            _ = try await self.partners.update(
                change.partner, address: address, secret: nil, isActive: nil, by: staff, at: self.clock.now,
                in: transaction)
        }
        return nil
    }

    private func find(
        _ offer: String, in transaction: borrowing Transaction
    ) async throws -> (offer: Offer, partner: Partner) {
        guard let known = try await self.offers.find(offer, in: transaction),
            let partner = try await self.partners.find(known.partner, in: transaction)
        else { throw Refusal.unknownOffer }
        return (known, partner)
    }

    private static func refusing(_ body: () throws(OfferTerms.Flaw) -> Void) throws {
        do throws(OfferTerms.Flaw) {
            try body()
        } catch {
            throw Refusal.flaw(error)
        }
    }
}
