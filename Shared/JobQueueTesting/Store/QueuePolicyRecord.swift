/// A policy as `queue.declare` reads it.
struct QueuePolicyRecord: Codable, Sendable {
    let name: String
    let keyLimit: Int?
    let attemptsMax, lossesMax: Int
    let backoffBase, backoffCap, lease: Int64
    let backoffFactor, backoffJitter: Double
    let onDead: String

    enum CodingKeys: String, CodingKey {
        case name
        case keyLimit = "key_limit"
        case attemptsMax = "attempts_max"
        case lossesMax = "losses_max"
        case backoffBase = "backoff_base_ms"
        case backoffCap = "backoff_cap_ms"
        case lease = "lease_ms"
        case backoffFactor = "backoff_factor"
        case backoffJitter = "backoff_jitter"
        case onDead = "on_dead"
    }

    init(_ policy: QueuePolicy) {
        self.name = policy.name
        self.keyLimit = policy.keyLimit
        self.attemptsMax = policy.attemptsMax
        self.lossesMax = policy.lossesMax
        self.backoffBase = policy.backoff.components.seconds * 1000
        self.backoffCap = self.backoffBase
        self.lease = policy.lease.components.seconds * 1000
        self.backoffFactor = 1
        self.backoffJitter = 0
        self.onDead = policy.blocksOnDead ? "block" : "release"
    }
}
