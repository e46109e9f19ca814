import FoundationEssentials
import Kernel
import Postgres

/// Stores as members look for them: near a place, with hours.
struct NearbyStore: Sendable {
    /// A store with its hours, and how far it is.
    struct Found: Sendable {
        let record: StoreRecord
        let phone: String?
        let hours: OpeningHours
        /// Metres along the surface; nil where no place was asked for.
        let distance: Int64?
    }

    /// Squares of the grid around the place that are looked at, in tenths of a degree; the last is the whole globe.
    private static let rings: [Int32] = [1, 4, 20, 3600]

    /// The nearest stores, the nearest first, by the great circle (haversine, 6 371 008.8 m).
    ///
    /// A ring of squares that holds enough stores is not enough: the farthest of them must be nearer than the ring's edge.
    func nearest(
        to place: Place, limit: Int, today: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Found] {
        for ring in Self.rings {
            let found = try await self.within(ring, of: place, limit: limit, today: today, in: runner)
            let edge = Self.reach(of: ring, at: place)
            if ring == Self.rings.last || (found.count == limit && (found.last?.distance ?? .max) <= edge) {
                return found
            }
        }
        return []
    }

    /// Metres that a ring reaches at least to each side: one square less than it has, and shorter towards the poles.
    private static func reach(of ring: Int32, at place: Place) -> Int64 {
        let degrees = Double(ring) / 10
        let farthest = min(89.9, abs(place.latitude) + degrees)
        return Int64(degrees * 111_195 * max(0.001, cosine(farthest)))
    }

    private func within(
        _ ring: Int32, of place: Place, limit: Int, today: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Found] {
        let row = Int32((place.latitude + 90) * 10)
        let column = Int32((place.longitude + 180) * 10)
        return try await runner.query(
            """
            select
                store_id, title, city, address, latitude_e6, longitude_e6, features, phone,
                coalesce(schedule, '[]') as schedule, utc_offset,
                (
                    select coalesce(jsonb_agg(jsonb_build_array(day - date '1970-01-01', opens, closes)), '[]')
                    from promotions.store_exception as other
                    where other.store_id = store.store_id and day between \(today.adding(days: -1)) and \(today.adding(days: 1))
                ) as exceptions,
                round(2 * 6371008.8 * asin(least(1, sqrt(
                    power(sin(radians(latitude_e6 / 1e6 - \(place.latitude)) / 2), 2)
                    + cos(radians(\(place.latitude))) * cos(radians(latitude_e6 / 1e6))
                        * power(sin(radians(longitude_e6 / 1e6 - \(place.longitude)) / 2), 2)
                ))))::bigint as distance
            from promotions.store
            where latitude_e6 is not null
                and grid_latitude between \(row - ring) and \(row + ring)
                -- The grid is a belt: the squares on both sides of the date line are neighbours.
                and (
                    grid_longitude between \(column - ring) and \(column + ring)
                    or grid_longitude + 3600 between \(column - ring) and \(column + ring)
                    or grid_longitude - 3600 between \(column - ring) and \(column + ring)
                )
            order by distance, store_id
            limit \(Int64(limit))
            """, as: Found.self)
    }

    /// Stores in the order of their ids, after `last`.
    func page(
        after last: String, limit: Int, today: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Found] {
        try await runner.query(
            """
            select
                store_id, title, city, address, latitude_e6, longitude_e6, features, phone,
                coalesce(schedule, '[]') as schedule, utc_offset,
                (
                    select coalesce(jsonb_agg(jsonb_build_array(day - date '1970-01-01', opens, closes)), '[]')
                    from promotions.store_exception as other
                    where other.store_id = store.store_id and day between \(today.adding(days: -1)) and \(today.adding(days: 1))
                ) as exceptions,
                null::bigint as distance
            from promotions.store
            where store_id > \(last)
            order by store_id
            limit \(Int64(limit))
            """, as: Found.self)
    }

    func find(
        _ id: StoreID, today: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Found? {
        try await runner.first(
            """
            select
                store_id, title, city, address, latitude_e6, longitude_e6, features, phone,
                coalesce(schedule, '[]') as schedule, utc_offset,
                (
                    select coalesce(jsonb_agg(jsonb_build_array(day - date '1970-01-01', opens, closes)), '[]')
                    from promotions.store_exception as other
                    where other.store_id = store.store_id and day >= \(today.adding(days: -1))
                ) as exceptions,
                null::bigint as distance
            from promotions.store
            where store_id = \(id)
            """, as: Found.self)
    }

    /// Changes a store's phone, zone and week.
    func setHours(
        of store: StoreID, phone: String?, offsetMinutes: Int64, week: [OpeningHours.Weekly],
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update promotions.store
            set phone = \(phone), utc_offset = \(Int16(clamping: offsetMinutes)), schedule = \(JSONB(week))
            where store_id = \(store)
            """) == 1
    }

    /// Gives a day hours of its own, or closes the shop that day.
    func setException(
        _ exception: OpeningHours.Exception, of store: StoreID, in transaction: borrowing Transaction
    ) async throws {
        let (opens, closes) = (exception.hours?.lowerBound, exception.hours?.upperBound)
        try await transaction.execute(
            """
            insert into promotions.store_exception (store_id, day, opens, closes)
            values (
                \(store), \(exception.day), \(opens.map { Int16(clamping: $0) }), \(closes.map { Int16(clamping: $0) })
            )
            on conflict (store_id, day) do update set opens = excluded.opens, closes = excluded.closes
            """)
    }
}

extension NearbyStore.Found: RowDecodable {
    init(row: Row) throws {
        let id: StoreID = try row.value("store_id")
        let latitude: Int32? = try row.value("latitude_e6")
        let longitude: Int32? = try row.value("longitude_e6")
        var position: StoreRecord.Position?
        if let latitude, let longitude { position = .init(latitudeE6: latitude, longitudeE6: longitude) }
        let exceptions = try row.value("exceptions", as: JSONB<[[Int64?]]>.self).value.compactMap {
            row -> OpeningHours.Exception? in
            guard row.count == 3, let day = row[0] else { return nil }
            var hours: ClosedRange<Int64>?
            if let opens = row[1], let closes = row[2], opens < closes { hours = opens...closes }
            return OpeningHours.Exception(day: CivilDate(daysSince1970: day), hours: hours)
        }
        self.init(
            record: StoreRecord(
                id: id, title: try row.value("title"), city: try row.value("city"), address: try row.value("address"),
                position: position, features: try row.value("features", as: JSONB<[StoreRecord.Feature]>.self).value),
            phone: try row.value("phone"),
            hours: OpeningHours(
                week: try row.value("schedule", as: JSONB<[OpeningHours.Weekly]>.self).value,
                exceptions: exceptions.sorted { $0.day.daysSince1970 < $1.day.daysSince1970 },
                offsetMinutes: Int64(try row.value("utc_offset", as: Int16.self))),
            distance: try row.value("distance"))
    }
}

/// The cosine of degrees between 0 and 90, by its series: exact to a millionth, and no library of C is needed for it.
private func cosine(_ degrees: Double) -> Double {
    let x = degrees * .pi / 180
    let square = x * x
    var (term, sum) = (1.0, 1.0)
    for step in stride(from: 1.0, to: 18, by: 2) {
        term *= -square / (step * (step + 1))
        sum += term
    }
    return sum
}
