public import Hummingbird
public import Kernel
import NIOConcurrencyHelpers

/// How often somebody may ask: so many at once, refilled evenly over a time.
public struct RateLimitPolicy: Hashable, Sendable {
    /// The most requests at once, and the most in ``period`` for ever after.
    public let burst: Int
    /// The time in which an empty bucket is full again.
    public let period: Duration
    /// The most buckets kept; beyond it those that were not used for the longest time are forgotten, which makes them full.
    public let bucketsLimit: Int

    /// - Parameters:
    ///   - burst: at least 1.
    ///   - period: more than zero.
    public init(burst: Int, per period: Duration, bucketsLimit: Int = 100_000) {
        self.burst = max(1, burst)
        self.period = max(period, .microseconds(1))
        self.bucketsLimit = max(2, bucketsLimit)
    }
}

/// Token buckets by key, in the memory of this process: several processes let through several times as much.
public final class RateLimiter: Sendable {
    private let clock: any WallClock
    private let buckets: NIOLockedValueBox<TokenBuckets>

    /// Starts with all buckets full.
    public init(_ policy: RateLimitPolicy, clock: any WallClock) {
        self.clock = clock
        self.buckets = NIOLockedValueBox(TokenBuckets(policy))
    }

    /// Takes one token of the key's bucket.
    /// - Throws: `rate-limited` with `Retry-After` when there is none.
    public func admit(_ key: String) throws(Problem) {
        let now = self.clock.now
        if let wait = self.buckets.withLockedValue({ $0.take(key, now: now) }) {
            throw Problem(.rateLimited, retryAfter: wait)
        }
    }
}

/// Limits how often a route is used by the same client.
public struct RateLimit: RouterMiddleware {
    private let limiter: RateLimiter
    private let key: @Sendable (Request, ClubRequestContext) -> String?

    /// - Parameter key: who the client is; nil lets the request pass. By default the address of the connection.
    public init(
        _ limiter: RateLimiter,
        key: @escaping @Sendable (Request, ClubRequestContext) -> String? = { $1.peerAddress }
    ) {
        self.limiter = limiter
        self.key = key
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        if let key = self.key(request, context) { try self.limiter.admit(key) }
        return try await next(request, context)
    }
}

/// The buckets themselves. Two generations bound the memory: a bucket that is used moves to the young one, and when that is
/// half of the limit, the old one is forgotten.
struct TokenBuckets {
    private struct Bucket {
        /// When the bucket would be full if nothing were taken: the one number that says how full it is now.
        var fullAt: Timestamp
    }

    private let policy: RateLimitPolicy
    private let cost: Duration
    private var young: [String: Bucket] = [:]
    private var old: [String: Bucket] = [:]

    init(_ policy: RateLimitPolicy) {
        self.policy = policy
        self.cost = policy.period / policy.burst
    }

    /// How many buckets are remembered.
    var count: Int { self.young.count + self.old.count }

    /// Takes a token.
    /// - Returns: nil when there was one, else how long it takes until there is one.
    mutating func take(_ key: String, now: Timestamp) -> Duration? {
        let known = self.young[key] ?? self.old[key]
        // A clock that was set back must not keep a client out for longer than an empty bucket does.
        let fullAt = min(max(known?.fullAt ?? now, now), now + self.policy.period)
        let wait = fullAt + self.cost - (now + self.policy.period)
        guard wait <= .zero else {
            self.remember(Bucket(fullAt: fullAt), key)
            return wait
        }
        self.remember(Bucket(fullAt: fullAt + self.cost), key)
        return nil
    }

    private mutating func remember(_ bucket: Bucket, _ key: String) {
        self.old[key] = nil
        self.young[key] = bucket
        guard self.young.count * 2 >= self.policy.bucketsLimit else { return }
        self.old = self.young
        self.young = [:]
    }
}
