import Kernel
import Postgres

/// Offers as partner managers change them.
extension OfferStore {
    /// With its lock: exchanges that take from stock and budget wait for what is decided.
    func lock(_ offer: String, in transaction: borrowing Transaction) async throws -> Offer? {
        _ = try await transaction.first(
            """
            select offer
            from partners_exchange.offer
            where offer = \(offer)
            for no key update
            """)
        return try await self.find(offer, in: transaction)
    }

    /// All offers, also those that nobody can have now, in the order of the directory.
    /// - Parameter partner: nil for all partners.
    func all(
        of partner: String?, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Offer] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from partners_exchange.offer as o
            join partners_exchange.partner as p using (partner)
            where \(partner)::text is null or o.partner = \(partner)
            order by p.position, o.position, o.offer
            """, as: Offer.self)
    }

    /// Puts an offer behind the partner's others; false when there is one of that name.
    func insert(_ new: NewOffer, of partner: String, in transaction: borrowing Transaction) async throws -> Bool {
        let terms = new.terms
        return try await transaction.execute(
            """
            insert into partners_exchange.offer (
                offer, partner, position, title_ru, title_en, unit_ru, unit_en, points_step, units_step, kopecks_step,
                points_min, points_max, is_special, valid_from, valid_to, stock, budget, low_stock, is_active
            )
            select \(new.offer), \(partner), coalesce(max(position), 0) + 1, \(terms.title.ru), \(terms.title.en),
                \(terms.unit.ru), \(terms.unit.en), \(terms.pointsStep), \(terms.unitsStep), \(terms.kopecksStep),
                \(terms.pointsMin), \(terms.pointsMax), \(terms.isSpecial), \(terms.validFrom), \(terms.validTo),
                \(terms.stock), \(terms.budget), \(terms.lowStock), \(terms.isActive)
            from partners_exchange.offer
            where partner = \(partner)
            on conflict (offer) do nothing
            """) == 1
    }

    /// Writes terms over an offer whose lock is held.
    func update(_ offer: String, _ terms: OfferTerms, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update partners_exchange.offer
            set title_ru = \(terms.title.ru), title_en = \(terms.title.en), unit_ru = \(terms.unit.ru),
                unit_en = \(terms.unit.en), points_step = \(terms.pointsStep), units_step = \(terms.unitsStep),
                kopecks_step = \(terms.kopecksStep), points_min = \(terms.pointsMin), points_max = \(terms.pointsMax),
                is_special = \(terms.isSpecial), valid_from = \(terms.validFrom), valid_to = \(terms.validTo),
                stock = \(terms.stock), budget = \(terms.budget), low_stock = \(terms.lowStock),
                is_active = \(terms.isActive)
            where offer = \(offer)
            """)
    }
}
