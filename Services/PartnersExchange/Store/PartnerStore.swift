import FoundationEssentials
import Kernel
import Postgres

/// Partners and their offers.
struct PartnerStore: Sendable {
    private static let columns: SQL = """
        partner, kind, category, title_ru, title_en, about_ru, about_en, number_rule, address, secret, promise, is_active,
        is_open, failures, shut_until
        """

    /// Partners in the order of the directory.
    /// - Parameter category: nil for all.
    func list(
        _ category: Partner.Category?, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Partner] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from partners_exchange.partner
            where is_active and (\(category)::text is null or category = \(category))
            order by position, partner
            """, as: Partner.self)
    }

    /// Also one that is not active any more: orders under way need it.
    func find(_ partner: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Partner? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from partners_exchange.partner
            where partner = \(partner)
            """, as: Partner.self)
    }

    /// Writes what a partner manager may change; nil keeps a field.
    func update(
        _ partner: String, address: String?, secret: [UInt8]?, isActive: Bool?, by staff: Staff.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update partners_exchange.partner
            set address = coalesce(\(address), address), secret = coalesce(\(secret), secret),
                is_active = coalesce(\(isActive), is_active), failures = 0, shut_until = null,
                changed_by = \(staff), changed_at = \(now)
            where partner = \(partner)
            """) == 1
    }

    /// The ledger has accounts for it.
    func markOpen(_ partner: String, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            update partners_exchange.partner
            set is_open = true
            where partner = \(partner) and not is_open
            """)
    }

    /// Changes the breaker under the row's lock, since several processes hear the partner fail at once.
    func changeBreaker(
        of partner: String, in transaction: borrowing Transaction, _ change: (inout Breaker) -> Void
    ) async throws {
        let row = try await transaction.first(
            """
            select failures, shut_until
            from partners_exchange.partner
            where partner = \(partner)
            for no key update
            """)
        guard let row else { return }
        let before = Breaker(failures: try row.value("failures"), shutUntil: try row.value("shut_until"))
        var after = before
        change(&after)
        guard after != before else { return }
        try await transaction.execute(
            """
            update partners_exchange.partner
            set failures = \(after.failures), shut_until = \(after.shutUntil)
            where partner = \(partner)
            """)
    }
}

/// What partners offer.
struct OfferStore: Sendable {
    /// The stock of a code pool is the number of its free codes.
    static let columns: SQL = """
        o.offer, o.partner, o.title_ru, o.title_en, o.unit_ru, o.unit_en, o.points_step, o.units_step, o.kopecks_step,
        o.points_min, o.points_max, o.is_special, o.valid_from, o.valid_to, o.budget, o.low_stock, o.is_active,
        case when p.kind = 'codes'
            then (select count(*) from partners_exchange.code as c where c.offer = o.offer and c.exchange_id is null)
            else o.stock
        end as stock
        """

    func find(_ offer: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Offer? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from partners_exchange.offer as o
            join partners_exchange.partner as p using (partner)
            where o.offer = \(offer)
            """, as: Offer.self)
    }

    /// Offers that can be had at a moment, in the order of the directory.
    /// - Parameters:
    ///   - partner: nil for all active ones.
    ///   - specialOnly: the privileges.
    func list(
        of partner: String?, specialOnly: Bool, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Offer] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from partners_exchange.offer as o
            join partners_exchange.partner as p using (partner)
            where o.is_active and p.is_active and (\(partner)::text is null or o.partner = \(partner))
                and (not \(specialOnly) or o.is_special)
                and o.valid_from <= \(now) and (o.valid_to is null or \(now) < o.valid_to)
            order by p.position, o.position, o.offer
            """, as: Offer.self)
    }

    /// Takes one exchange of so many points from stock and budget; false when one of them is used up.
    func take(_ points: Points, of offer: String, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            update partners_exchange.offer
            set stock = stock - 1, budget = budget - \(points)
            where offer = \(offer) and (stock is null or stock >= 1) and (budget is null or budget >= \(points))
            """) == 1
    }

    /// Gives back what was taken.
    func giveBack(_ points: Points, of offer: String, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update partners_exchange.offer
            set stock = stock + 1, budget = budget + \(points)
            where offer = \(offer)
            """)
    }
}

extension Partner: RowDecodable {
    init(row: Row) throws {
        self.init(
            code: try row.value("partner"), kind: try row.value("kind"), category: try row.value("category"),
            title: Bilingual(ru: try row.value("title_ru"), en: try row.value("title_en")),
            about: Bilingual(ru: try row.value("about_ru"), en: try row.value("about_en")),
            numberRule: try row.value("number_rule", as: JSONB<NumberRule>?.self)?.value,
            address: try row.value("address"), secret: try row.value("secret"),
            promise: .seconds(try row.value("promise", as: Int64.self)), isActive: try row.value("is_active"),
            isOpen: try row.value("is_open"),
            breaker: Breaker(failures: try row.value("failures"), shutUntil: try row.value("shut_until")))
    }
}

extension Offer: RowDecodable {
    init(row: Row) throws {
        self.init(
            code: try row.value("offer"), partner: try row.value("partner"),
            title: Bilingual(ru: try row.value("title_ru"), en: try row.value("title_en")),
            unit: Bilingual(ru: try row.value("unit_ru"), en: try row.value("unit_en")),
            pointsStep: try row.value("points_step"), unitsStep: try row.value("units_step"),
            kopecksStep: try row.value("kopecks_step"), pointsMin: try row.value("points_min"),
            pointsMax: try row.value("points_max"), isSpecial: try row.value("is_special"),
            validFrom: try row.value("valid_from"), validTo: try row.value("valid_to"),
            stock: try row.value("stock"), budget: try row.value("budget"), lowStock: try row.value("low_stock"),
            isActive: try row.value("is_active"))
    }
}
