import FoundationEssentials
import JWTKit
import Kernel

/// The public keys that tokens may be signed with, as fresh as they need to be.
///
/// They are fetched when a token names a key that is not among them (auth has a new one) and when they are older than
/// `maximumAge` (auth may have withdrawn one). Whoever asks during a fetch waits for it instead of beginning another,
/// and a fetch begins no sooner than `minimumInterval` after the one before, or strangers could send us to auth with
/// made-up key names as often as they like.
actor SigningKeys {
    /// A set of keys that does not change.
    struct KeySet: Sendable {
        let names: Set<String>
        let verifier: JWTKeyCollection
    }

    private let fetch: @Sendable () async throws -> String
    private let clock: any WallClock
    private let minimumInterval: Duration
    private let maximumAge: Duration

    private var current: KeySet?
    private var fetchedAt: Timestamp?
    private var attemptedAt: Timestamp?
    private var lastAttemptFailed = false
    private var running: Task<KeySet, any Error>?

    init(
        clock: any WallClock, minimumInterval: Duration, maximumAge: Duration,
        fetch: @escaping @Sendable () async throws -> String
    ) {
        self.clock = clock
        self.minimumInterval = minimumInterval
        self.maximumAge = maximumAge
        self.fetch = fetch
    }

    /// The key set with the key `name`; nil when auth has no such key.
    /// - Throws: `temporarily-unavailable` when that cannot be found out.
    func keySet(with name: String) async throws -> KeySet? {
        let known = self.current.flatMap { $0.names.contains(name) ? $0 : nil }
        if let known, self.elapsed(since: self.fetchedAt) < self.maximumAge { return known }
        let unavailable = Problem(.temporarilyUnavailable, retryAfter: self.minimumInterval)
        if self.running == nil, self.elapsed(since: self.attemptedAt) < self.minimumInterval {
            guard known == nil, self.lastAttemptFailed else { return known }
            throw unavailable
        }
        // Other callers come in during this wait: they find `running` and wait for the same fetch.
        guard let fresh = try? await self.fetching().value else {
            guard let known else { throw unavailable }
            return known
        }
        return fresh.names.contains(name) ? fresh : nil
    }

    /// The fetch that runs, or a new one.
    private func fetching() -> Task<KeySet, any Error> {
        if let running = self.running { return running }
        self.attemptedAt = self.clock.now
        // Unowned: it belongs to all who wait for it; the first of them being cancelled must not fail the others.
        let task = Task {
            do {
                let keys = try await Self.parse(self.fetch())
                self.finish(with: keys)
                return keys
            } catch {
                self.finish(with: nil)
                throw error
            }
        }
        self.running = task
        return task
    }

    private func finish(with keys: KeySet?) {
        self.running = nil
        self.lastAttemptFailed = keys == nil
        guard let keys else { return }
        self.current = keys
        self.fetchedAt = self.clock.now
    }

    /// How long ago that was; for ever when it never was or when the clock was set back since.
    private func elapsed(since moment: Timestamp?) -> Duration {
        guard let moment, moment <= self.clock.now else { return .seconds(Int64.max) }
        return self.clock.now - moment
    }

    /// Takes the Ed25519 keys that have a name and leaves out everything else.
    private static func parse(_ jwks: String) async throws -> KeySet {
        let verifier = JWTKeyCollection()
        var names: Set<String> = []
        for key in try JSONDecoder().decode(JWKS.self, from: Data(jwks.utf8)).keys {
            guard key.keyType == .octetKeyPair, key.curve == .eddsa(.ed25519), let x = key.x,
                let name = key.keyIdentifier
            else { continue }
            await verifier.add(eddsa: try EdDSA.PublicKey(x: x, curve: .ed25519), kid: name)
            names.insert(name.string)
        }
        return KeySet(names: names, verifier: verifier)
    }
}
