public import Kernel
public import Postgres

/// The table `<schema>.till_key`: a service's copy of auth's API keys, as `TillKeyChanged` tells them. Needs that table; see
/// this folder's README.
public struct TillKeyProjection: Sendable {
    private let schema: ServiceName

    /// - Parameter schema: whose table it is.
    public init(schema: ServiceName) { self.schema = schema }

    /// A key, and since when it is so.
    public struct Entry: Equatable, Sendable {
        /// The key.
        public let key: TillKey
        /// Later tellings supersede earlier ones.
        public let changedAt: Timestamp

        /// Describes a key as it was told.
        public init(key: TillKey, changedAt: Timestamp) { (self.key, self.changedAt) = (key, changedAt) }
    }

    /// The key, revoked or not; nil when nothing was told of it.
    public func find(
        _ id: String, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Entry? {
        let row = try await runner.first(
            """
            select hash, store_id, scopes, revoked, changed_at
            from \(identifier: self.schema.schema, "till_key")
            where till_key = \(id)
            """)
        guard let row else { return nil }
        let (hash, store, scopes, isRevoked, changedAt) = try row.decode(
            [UInt8].self, String?.self, [String].self, Bool.self, Timestamp.self)
        let key = TillKey(
            id: id, hash: hash, store: store.flatMap { StoreID($0) }, scopes: Set(scopes), revoked: isRevoked)
        return Entry(key: key, changedAt: changedAt)
    }

    /// Writes keys down unless something newer is known of them: events may arrive in any order, and a key that was revoked
    /// must not come back.
    public func upsert(_ entries: [Entry], in runner: borrowing some QueryRunner & ~Copyable) async throws {
        // In the order of their ids, so that two batches that share keys cannot wait for each other.
        for entry in entries.sorted(by: { $0.key.id < $1.key.id }) {
            let key = entry.key
            try await runner.execute(
                """
                insert into \(identifier: self.schema.schema, "till_key") as known
                    (till_key, hash, store_id, scopes, revoked, changed_at)
                values (
                    \(key.id), \(key.hash), \(key.store?.text), \(key.scopes.sorted()), \(key.revoked),
                    \(entry.changedAt)
                )
                on conflict (till_key) do update
                set hash = excluded.hash, store_id = excluded.store_id, scopes = excluded.scopes,
                    revoked = excluded.revoked, changed_at = excluded.changed_at
                where known.changed_at < excluded.changed_at
                """)
        }
    }
}

/// Finds the key that a till presents: in memory, in the projection, or by asking auth.
public struct FindTillKey: Sendable {
    private let database: Database
    private let projection: TillKeyProjection
    private let ask: @Sendable (String) async throws -> TillKeyProjection.Entry?
    /// For seconds only: a revoked key must stop working within 5 s.
    private let known: BoundedCache<String, TillKey>
    /// Keys that nobody had a moment ago, against guessing.
    private let unknown: BoundedCache<String, Bool>
    /// Whoever invents keys, each once, makes auth work this often at most; known keys are not held up by it.
    private let questions: RateLimiter

    /// - Parameters:
    ///   - schema: whose projection is looked at.
    ///   - database: reached as that service's role.
    ///   - ask: asks auth for a key that the projection has not heard of; nil for one that was never made.
    public init(
        schema: ServiceName, database: Database, clock: any WallClock,
        ask: @escaping @Sendable (String) async throws -> TillKeyProjection.Entry?
    ) {
        (self.database, self.projection, self.ask) = (database, TillKeyProjection(schema: schema), ask)
        self.questions = RateLimiter(RateLimitPolicy(burst: 50, per: .seconds(1)), clock: clock)
        self.known = BoundedCache(lifetime: .seconds(3), countMax: 10_000, clock: clock)
        self.unknown = BoundedCache(lifetime: .seconds(3), countMax: 10_000, clock: clock)
    }

    /// The key, revoked or not; nil when there is none of this id.
    ///
    /// - Throws: `rate-limited` when too many unknown keys were asked for, and what `ask` throws when the projection has not
    ///   heard of the key and auth does not answer in time.
    public func callAsFunction(_ id: String) async throws -> TillKey? {
        if let key = self.known[id] { return key }
        if self.unknown[id] != nil { return nil }
        if let entry = try await self.projection.find(id, in: self.database) {
            self.known.insert(entry.key, for: id)
            return entry.key
        }
        try self.questions.admit("")
        guard let entry = try await self.ask(id) else {
            self.unknown.insert(true, for: id)
            return nil
        }
        try await self.projection.upsert([entry], in: self.database)
        self.known.insert(entry.key, for: id)
        return entry.key
    }
}
