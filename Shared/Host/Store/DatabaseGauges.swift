internal import Metrics
internal import Postgres

/// What PostgreSQL says of itself to everybody: none of it needs a right that a service does not have.
struct DatabaseGauges: Sendable {
    private let size = Gauge(label: "club_database_size_bytes")
    private let sessions = Gauge(label: "club_database_sessions")
    private let sessionsMax = Gauge(label: "club_database_sessions_max")
    private let age = Gauge(label: "club_database_wraparound_age")
    private let deadlocks = Gauge(label: "club_database_deadlocks")
    private let lag = Gauge(label: "club_database_replication_lag_bytes")
    private let activeSlots = Gauge(label: "club_database_replication_slots", dimensions: [("state", "active")])
    private let idleSlots = Gauge(label: "club_database_replication_slots", dimensions: [("state", "inactive")])

    func record(_ database: Database, schema: String) async throws {
        // A standby that follows through a slot is behind by what the slot keeps for it.
        let row = try await database.one(
            """
            select pg_database_size(d.oid) as size, age(d.datfrozenxid) as age, s.numbackends as sessions, s.deadlocks,
                current_setting('max_connections')::int as sessions_max,
                case when pg_is_in_recovery() then 0 else coalesce((
                    select max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.restart_lsn)) from pg_replication_slots r
                    where r.slot_type = 'physical'), 0) end::bigint as lag,
                (select count(*) from pg_replication_slots r where r.active) as active,
                (select count(*) from pg_replication_slots r where not r.active) as inactive
            from pg_database d
            join pg_stat_database s on s.datid = d.oid
            where d.datname = current_database()
            """)
        self.size.record(try row.value("size", as: Int64.self))
        self.age.record(try row.value("age", as: Int32.self))
        self.sessions.record(try row.value("sessions", as: Int32.self))
        self.sessionsMax.record(try row.value("sessions_max", as: Int32.self))
        self.deadlocks.record(try row.value("deadlocks", as: Int64.self))
        self.lag.record(try row.value("lag", as: Int64.self))
        self.activeSlots.record(try row.value("active", as: Int64.self))
        self.idleSlots.record(try row.value("inactive", as: Int64.self))
        try await self.recordSchemas([schema, "queue"], database)
    }

    private func recordSchemas(_ schemas: [String], _ database: Database) async throws {
        let rows = try await database.query(
            """
            select schemaname::text as schema, sum(pg_total_relation_size(relid))::bigint as bytes,
                sum(n_live_tup)::bigint as live, sum(n_dead_tup)::bigint as dead
            from pg_stat_user_tables
            where schemaname = any (\(schemas))
            group by schemaname
            """)
        for row in rows {
            let labels = [("schema", try row.value("schema", as: String.self))]
            Gauge(label: "club_database_schema_bytes", dimensions: labels)
                .record(try row.value("bytes", as: Int64.self))
            Gauge(label: "club_database_live_rows", dimensions: labels).record(try row.value("live", as: Int64.self))
            Gauge(label: "club_database_dead_rows", dimensions: labels).record(try row.value("dead", as: Int64.self))
        }
    }
}
