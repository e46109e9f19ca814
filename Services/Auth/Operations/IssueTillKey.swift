import Contracts
import FoundationEssentials
public import JobQueue
public import Kernel
public import Postgres

/// Makes an API key for tills and tells the services that check keys.
public struct IssueTillKey: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let random: RandomBytes

    /// - Parameters:
    ///   - database: reached as auth's role.
    ///   - bus: auth's.
    public init(database: Database, bus: Bus, clock: any WallClock, random: RandomBytes) {
        self.database = database
        self.bus = bus
        self.clock = clock
        self.random = random
    }

    /// A key as it is shown, once, to whoever asked for it.
    public struct Issued: Sendable {
        /// The public part, which names the key in lists and when it is revoked.
        public let id: String
        /// The whole key, `ck_<id>_<secret>`. Only its hash is kept.
        public let key: Secret
    }

    /// - Parameters:
    ///   - store: the only store the key speaks for; nil for any.
    ///   - scopes: what the key may do; each 1…32 characters of a–z and hyphens, at least one.
    ///   - label: what people call it, at most 120 characters.
    /// - Throws: ``TillKeyInvalid`` where these do not hold.
    public func callAsFunction(store: StoreID?, scopes: [String], label: String) async throws -> Issued {
        guard !scopes.isEmpty, scopes.allSatisfy(Self.isScope) else { throw TillKeyInvalid.scopes }
        guard label.unicodeScalars.count <= 120, !label.utf8.contains(0) else { throw TillKeyInvalid.label }
        let key = TillKeyText(self.random)
        let now = self.clock.now
        let stored = TillKeyStore.StoredKey(
            id: key.id, secretHash: key.secretHash, store: store, scopes: scopes, changedAt: now, isRevoked: false)
        try await self.database.transaction { transaction in
            try await TillKeyStore().insert(stored, label: label, in: transaction)
            try await self.bus.publish(TillKeyChanged(key: stored.record), in: transaction)
        }
        return Issued(id: key.id, key: Secret(key.reveal()))
    }

    private static func isScope(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d }
    }
}

/// What is wrong with a key that was asked for.
public enum TillKeyInvalid: Error, Hashable {
    /// No scope, or one that is not 1…32 characters of a–z and hyphens.
    case scopes
    /// Longer than 120 characters.
    case label
}

/// Takes an API key out of use for good and tells the services that check keys.
public struct RevokeTillKey: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock

    /// - Parameters:
    ///   - database: reached as auth's role.
    ///   - bus: auth's.
    public init(database: Database, bus: Bus, clock: any WallClock) {
        self.database = database
        self.bus = bus
        self.clock = clock
    }

    /// - Parameter id: the public part of the key.
    /// - Returns: false when there is no such key or it was revoked before; then nothing is told to anybody.
    public func callAsFunction(_ id: String) async throws -> Bool {
        let now = self.clock.now
        return try await self.database.transaction { transaction in
            guard let revoked = try await TillKeyStore().revoke(id, at: now, in: transaction) else { return false }
            try await self.bus.publish(TillKeyChanged(key: revoked.record), in: transaction)
            return true
        }
    }
}

extension TillKeyStore.StoredKey {
    /// The key as other services know it.
    var record: TillKeyRecord {
        TillKeyRecord(
            id: self.id, hash: Data(self.secretHash), store: self.store, scopes: self.scopes, revoked: self.isRevoked,
            changedAt: self.changedAt)
    }
}
