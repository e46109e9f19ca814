import Kernel
import Postgres

/// What a partner manager does alone: secrets, codes, and whether a partner is there. Addresses take two: ``ChangeOffers``.
struct ManagePartners: Sendable {
    /// Of one load.
    static let codesMax = 10_000

    enum Refusal: Error, Hashable, Sendable {
        case unknownPartner, unknownOffer
        /// Shorter than 32 characters.
        case weakSecret
        /// The offer has no pool of codes.
        case noPool
    }

    /// What is changed; nil keeps a field.
    struct Change: Sendable {
        let secret: Secret?
        let isActive: Bool?
        /// Why, for the record.
        let reason: String
    }

    let vault: ExchangeVault
    let clock: any WallClock
    let ids: IDGenerator
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let codes = CodeStore()
    private let changes = ChangeStore()

    init(vault: ExchangeVault, clock: any WallClock, ids: IDGenerator) {
        (self.vault, self.clock, self.ids) = (vault, clock, ids)
    }

    /// Changes a partner; its breaker begins anew.
    /// - Throws: ``Refusal``.
    func change(
        _ partner: String, _ change: Change, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> Partner {
        let secret = try change.secret.map { secret in
            guard secret.reveal().count >= 32 else { throw Refusal.weakSecret }
            return try self.vault.seal(secret.text, at: ReachPartner.place(partner))
        }
        let isThere = try await self.partners.update(
            partner, address: nil, secret: secret, isActive: change.isActive, by: staff, at: self.clock.now,
            in: transaction)
        guard isThere, let changed = try await self.partners.find(partner, in: transaction) else {
            throw Refusal.unknownPartner
        }
        let record = PartnerChange(
            id: self.ids.next(), kind: .changePartner, partner: partner, offer: nil,
            wanted: .init(hasNewSecret: change.secret.map { _ in true }, isActive: change.isActive),
            reason: change.reason, state: .done, madeBy: staff, madeAt: self.clock.now)
        _ = try await self.changes.insert(record, in: transaction)
        return changed
    }

    /// Adds codes to an offer's pool; those that it has already are left out.
    /// - Throws: ``Refusal``.
    func load(
        _ codes: [String], into offer: String, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> (added: Int, left: Int64) {
        guard let known = try await self.offers.find(offer, in: transaction) else { throw Refusal.unknownOffer }
        guard let partner = try await self.partners.find(known.partner, in: transaction), partner.kind == .codes else {
            throw Refusal.noPool
        }
        let sealed = try codes.map { code in
            (
                sealed: try self.vault.seal(code, at: ShowExchanges.place(offer)),
                mac: self.vault.index(code, in: ShowExchanges.place(offer))
            )
        }
        let added = try await self.codes.add(sealed, to: offer, by: staff, at: self.clock.now, in: transaction)
        return (added, try await self.codes.left(of: offer, in: transaction))
    }
}
