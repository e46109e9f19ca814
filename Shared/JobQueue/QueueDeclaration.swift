public import Kernel

/// What a service says about one of its queues. It is stored in the database at every start, for all to see.
public struct QueueDeclaration: Sendable, Hashable {
    /// What becomes of the jobs of the same key when one of them is dead.
    public enum OnDead: String, Sendable, Codable {
        /// The next job of the key runs.
        case release
        /// The key waits for a person: for money, which must not skip anything.
        case block
    }

    public let name: QueueName
    /// Runs of a job, the first included, before it is dead.
    public var attemptsMax: Int
    /// Workers that a job may take down with it before it is dead.
    public var lossesMax: Int
    public var backoff: Backoff
    /// How long one job may run. Then it is cancelled, and soon given to another worker.
    public var lease: Duration
    public var onDead: OnDead
    /// Handlers that run at the same time in one process.
    public var slots: Int
    /// A batch that follows one that was not full begins at least this long after it did, and takes what has come
    /// meanwhile: many small batches cost more than one, where nobody waits for what they do. The first after a quiet time
    /// begins at once.
    public var gather: Duration
    /// How long ended jobs are kept.
    public var retention: Duration
    /// Services that may send here; nil for all.
    public var producers: Set<ServiceName>?
    /// What the `orderingKey` of its messages means.
    public var order: Order
    /// Jobs at a time over all processes; of a batched queue, batches. nil: as many as there are slots.
    public var runningMax: Int?
    /// How many jobs may begin in a time, over all processes. Not for batched queues.
    public var rate: RateLimit?
    /// After so long a job counts as one priority higher, so that a low one cannot wait for ever; nil: never.
    public var ageing: Duration?
    /// Arguments and results are ciphertext to the database and whoever reads it.
    public var isEncrypted: Bool

    /// What the keys of a queue's messages are for.
    public enum Order: Sendable, Hashable {
        /// Nothing: any order.
        case none
        /// Jobs of one key begin in the order of sending, so many at a time (1: one after the other), whatever happens to
        /// them. A retry keeps its place.
        case byKey(atATime: Int)
        /// Keys take turns, however many jobs each of them has waiting.
        case fair
    }

    /// A queue with the house's defaults.
    public init(
        _ name: QueueName, attemptsMax: Int = 20, lossesMax: Int = 3, backoff: Backoff = Backoff(),
        lease: Duration = .seconds(30), onDead: OnDead = .release, slots: Int = 8,
        gather: Duration = .zero, retention: Duration = .seconds(1_209_600), producers: Set<ServiceName>? = nil,
        order: Order = .none,
        runningMax: Int? = nil, rate: RateLimit? = nil, ageing: Duration? = nil, isEncrypted: Bool = false
    ) {
        self.name = name
        self.attemptsMax = attemptsMax
        self.lossesMax = lossesMax
        self.backoff = backoff
        self.lease = lease
        self.onDead = onDead
        self.slots = slots
        self.gather = gather
        self.retention = retention
        self.producers = producers
        self.order = order
        self.runningMax = runningMax
        self.rate = rate
        self.ageing = ageing
        self.isEncrypted = isEncrypted
    }
}

/// A token bucket: `perSecond` jobs in the long run, `burst` at once after a quiet time.
public struct RateLimit: Sendable, Hashable {
    /// Above 0.
    public var perSecond: Double
    /// At least 1.
    public var burst: Int

    /// Without a burst of its own a second's worth may begin at once.
    public init(perSecond: Double, burst: Int? = nil) {
        self.perSecond = perSecond
        self.burst = burst ?? max(1, Int(perSecond))
    }
}

/// How long a failed job waits: base · factorⁿ⁻¹ after the n-th attempt, at most the cap, spread by ± jitter so that
/// jobs that failed together do not come back together.
public struct Backoff: Sendable, Hashable {
    public var base: Duration
    public var factor: Double
    public var cap: Duration
    /// From 0 (exact) to 1 (anything between nothing and twice as long).
    public var jitter: Double

    /// Half a second, then twice as long every time, up to a quarter of an hour.
    public init(
        base: Duration = .milliseconds(500), factor: Double = 2, cap: Duration = .seconds(900), jitter: Double = 0.2
    ) {
        self.base = base
        self.factor = factor
        self.cap = cap
        self.jitter = jitter
    }
}

extension Duration {
    /// Whole milliseconds, rounded up; the largest number when beyond.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return whole + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    /// Seconds with their fraction, for metrics.
    var inSeconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) * 1e-18
    }
}
