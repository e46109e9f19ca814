import Kernel
import Postgres

/// Codes of pools.
struct CodeStore: Sendable {
    /// Adds sealed codes; those that the pool has already are left out.
    /// - Returns: how many were new.
    func add(
        _ codes: [(sealed: [UInt8], mac: [UInt8])], to offer: String, by staff: Staff.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Int {
        try await transaction.execute(
            """
            insert into partners_exchange.code (offer, code, code_mac, added_by, added_at)
            select \(offer), code, mac, \(staff), \(now)
            from unnest(\(codes.map(\.sealed)), \(codes.map(\.mac))) as c (code, mac)
            on conflict (offer, code_mac) do nothing
            """)
    }

    /// The exchange's code, assigned now or before; nil when the pool is empty. Several who claim at once get different
    /// codes and do not wait for each other, except for the last one: whoever has it may still give it back.
    func claim(
        for order: ExchangeOrder, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (id: Int64, sealed: [UInt8])? {
        if let known = try await self.find(of: order.id, in: transaction) { return known }
        let free = try await transaction.first(
            """
            select code_id
            from partners_exchange.code
            where offer = \(order.offer) and exchange_id is null
            order by code_id
            limit 1
            for update skip locked
            """)
        if let free { return try await self.assign(free.value("code_id"), to: order, at: now, in: transaction) }
        let left = try await transaction.first(
            """
            select code_id
            from partners_exchange.code
            where offer = \(order.offer) and exchange_id is null
            order by code_id
            limit 1
            for update
            """)
        // Another attempt of this very exchange may have had it.
        if let known = try await self.find(of: order.id, in: transaction) { return known }
        guard let left else { return nil }
        return try await self.assign(left.value("code_id"), to: order, at: now, in: transaction)
    }

    private func assign(
        _ code: Int64, to order: ExchangeOrder, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (id: Int64, sealed: [UInt8])? {
        let row = try await transaction.first(
            """
            update partners_exchange.code
            set member_id = \(order.member), exchange_id = \(order.id), assigned_at = \(now)
            where code_id = \(code)
            returning code_id, code
            """)
        return try row.map { (try $0.value("code_id"), try $0.value("code")) }
    }

    /// The code of an exchange, sealed.
    func find(
        of exchange: Exchange.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> (id: Int64, sealed: [UInt8])? {
        let row = try await runner.first(
            """
            select code_id, code
            from partners_exchange.code
            where exchange_id = \(exchange)
            """)
        return try row.map { (try $0.value("code_id"), try $0.value("code")) }
    }

    /// How many are free.
    func left(of offer: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Int64 {
        try await runner.one(
            """
            select count(*)
            from partners_exchange.code
            where offer = \(offer) and exchange_id is null
            """
        ).decode(Int64.self)
    }
}
