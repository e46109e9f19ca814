import Kernel
import Postgres

/// What a partner manager does: addresses, secrets, codes.
struct ManagePartners: Sendable {
    /// Of one load.
    static let codesMax = 10_000

    enum Refusal: Error, Hashable, Sendable {
        case unknownPartner, unknownOffer
        /// The operator does not allow to talk to this address.
        case addressNotAllowed
        /// Shorter than 32 characters.
        case weakSecret
        /// The offer has no pool of codes.
        case noPool
    }

    /// What is changed; nil keeps a field.
    struct Change: Sendable {
        let address: String?
        let secret: Secret?
        let isActive: Bool?
    }

    let vault: ExchangeVault
    let clock: any WallClock
    let hosts: AllowedHosts
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let codes = CodeStore()

    init(vault: ExchangeVault, clock: any WallClock, hosts: AllowedHosts) {
        (self.vault, self.clock, self.hosts) = (vault, clock, hosts)
    }

    /// Changes a partner; its breaker begins anew.
    /// - Throws: ``Refusal``.
    func change(
        _ partner: String, _ change: Change, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> Partner {
        if let address = change.address, !self.hosts.allows(address) { throw Refusal.addressNotAllowed }
        let secret = try change.secret.map { secret in
            guard secret.reveal().count >= 32 else { throw Refusal.weakSecret }
            return try self.vault.seal(secret.text, at: ReachPartner.place(partner))
        }
        let isThere = try await self.partners.update(
            partner, address: change.address, secret: secret, isActive: change.isActive, by: staff, at: self.clock.now,
            in: transaction)
        guard isThere, let changed = try await self.partners.find(partner, in: transaction) else {
            throw Refusal.unknownPartner
        }
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
