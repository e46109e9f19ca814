import Contracts
public import JobQueue
public import Kernel
public import Postgres

/// Gives an API key a successor with the same rights, and lets both be good for a while, so that a whole chain of tills can
/// be given the new one without a pause.
public struct RotateTillKey: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let random: RandomBytes

    /// How long both may be good at most.
    public static let overlapMax = Duration.seconds(30 * 86_400)

    /// - Parameters:
    ///   - database: reached as auth's role.
    ///   - bus: auth's.
    public init(database: Database, bus: Bus, clock: any WallClock, random: RandomBytes) {
        (self.database, self.bus, self.clock, self.random) = (database, bus, clock, random)
    }

    /// - Parameters:
    ///   - id: the public part of the key.
    ///   - overlap: how long the old key stays good; zero revokes it at once. At most ``overlapMax``.
    /// - Returns: the new key, shown once; nil when there is no such key in use, or it has a successor.
    public func callAsFunction(_ id: String, overlap: Duration) async throws -> IssueTillKey.Issued? {
        let key = TillKeyText(self.random)
        let now = self.clock.now
        let retiresAt = now + min(max(overlap, .zero), Self.overlapMax)
        let isMade = try await self.database.transaction { transaction in
            let store = TillKeyStore()
            guard let (old, label) = try await store.lock(id, in: transaction) else { return false }
            let new = TillKeyStore.StoredKey(
                id: key.id, secretHash: key.secretHash, store: old.store, scopes: old.scopes, changedAt: now,
                isRevoked: false)
            try await store.insert(new, label: label, in: transaction)
            try await store.succeed(id, by: key.id, retiresAt: retiresAt, in: transaction)
            try await self.bus.publish(TillKeyChanged(key: new.record), in: transaction)
            if retiresAt <= now, let revoked = try await store.revoke(id, at: now, in: transaction) {
                try await self.bus.publish(TillKeyChanged(key: revoked.record), in: transaction)
            }
            return true
        }
        return isMade ? IssueTillKey.Issued(id: key.id, key: Secret(key.reveal())) : nil
    }
}

/// Revokes the keys whose time beside their successor is over. Any number of processes may do so at once.
struct RetireTillKeys: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock

    /// - Returns: how many.
    @discardableResult
    func callAsFunction() async throws -> Int {
        let now = self.clock.now
        return try await self.database.transaction { transaction in
            let retired = try await TillKeyStore().retire(at: now, in: transaction)
            try await self.bus.publish(contentsOf: retired.map { TillKeyChanged(key: $0.record) }, in: transaction)
            return retired.count
        }
    }
}
