import Kernel
import Postgres

/// The directory of stores.
struct StoreDirectory: Sendable {
    /// Writes stores down; those that are written down so already are left alone. Gives the number written.
    func upsert(_ stores: [StoreRecord], in transaction: borrowing Transaction) async throws -> Int {
        try await transaction.execute(
            """
            insert into promotions.store as store (
                store_id, title, city, address, latitude_e6, longitude_e6, features
            )
            select *
            from unnest(
                \(stores.map(\.id.text)), \(stores.map(\.title)), \(stores.map(\.city)), \(stores.map(\.address)),
                \(stores.map(\.position?.latitudeE6)), \(stores.map(\.position?.longitudeE6)),
                \(stores.map { JSONB($0.features) })
            )
            on conflict (store_id) do update
            set title = excluded.title, city = excluded.city, address = excluded.address,
                latitude_e6 = excluded.latitude_e6, longitude_e6 = excluded.longitude_e6, features = excluded.features
            where (store.title, store.city, store.address, store.latitude_e6, store.longitude_e6, store.features)
                is distinct from (
                    excluded.title, excluded.city, excluded.address, excluded.latitude_e6, excluded.longitude_e6,
                    excluded.features
                )
            """)
    }

    /// Stores in the order of their ids, after `last`.
    func page(
        after last: String, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [StoreRecord] {
        try await runner.query(
            """
            select store_id, title, city, address, latitude_e6, longitude_e6, features
            from promotions.store
            where store_id > \(last)
            order by store_id
            limit \(Int64(limit))
            """
        ).compactMap { row in
            let (id, title, city, address, latitude, longitude, features) = try row.decode(
                String.self, String?.self, String?.self, String?.self, Int32?.self, Int32?.self,
                JSONB<[StoreRecord.Feature]>.self)
            guard let id = StoreID(id) else { return nil }
            var position: StoreRecord.Position?
            if let latitude, let longitude {
                position = StoreRecord.Position(latitudeE6: latitude, longitudeE6: longitude)
            }
            return StoreRecord(
                id: id, title: title, city: city, address: address, position: position, features: features.value)
        }
    }
}
