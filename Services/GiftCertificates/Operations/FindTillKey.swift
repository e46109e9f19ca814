import Contracts
import JobQueue
import Kernel
import Postgres
import Web

/// Finds the key that a till presents: in memory, in the projection, or by asking auth.
struct FindTillKey: Sendable {
    private let database: Database
    private let bus: Bus
    private let store = TillKeyStore()
    /// For seconds only: a revoked key must stop working within 5 s.
    private let known: BoundedCache<String, TillKeyStore.Key>
    /// Keys that nobody had a moment ago, against guessing.
    private let unknown: BoundedCache<String, Bool>
    /// Whoever invents keys, each once, makes auth work this often at most; known keys are not held up by it.
    private let questions: RateLimiter

    init(database: Database, bus: Bus, clock: any WallClock) {
        (self.database, self.bus) = (database, bus)
        self.questions = RateLimiter(RateLimitPolicy(burst: 50, per: .seconds(1)), clock: clock)
        self.known = BoundedCache(lifetime: .seconds(3), countMax: 10_000, clock: clock)
        self.unknown = BoundedCache(lifetime: .seconds(3), countMax: 10_000, clock: clock)
    }

    /// The key, revoked or not; nil when there is none of this id.
    ///
    /// - Throws: `rate-limited` when too many unknown keys were asked for, and what the call throws when the projection
    ///   has not heard of the key and auth does not answer in time.
    func callAsFunction(_ id: String) async throws -> TillKeyStore.Key? {
        if let key = self.known[id] { return key }
        if self.unknown[id] != nil { return nil }
        if let key = try await self.store.key(id, in: self.database) {
            self.known.insert(key, for: id)
            return key
        }
        try self.questions.admit("")
        guard let record = try await self.bus.call(ResolveTillKey(id: id)).key else {
            self.unknown.insert(true, for: id)
            return nil
        }
        let key = TillKeyStore.Key(record)
        try await self.store.upsert(key, in: self.database)
        self.known.insert(key, for: id)
        return key
    }
}

extension TillKeyStore.Key {
    init(_ record: TillKeyRecord) {
        self.init(
            id: record.id, hash: Array(record.hash), store: record.store, scopes: Set(record.scopes),
            isRevoked: record.revoked, changedAt: record.changedAt)
    }
}
