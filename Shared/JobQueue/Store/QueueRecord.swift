internal import Kernel

/// A declaration as `queue.declare` reads it: the columns of `queue.queue`. What a queue does not have is said as null,
/// because what is not said at all stays as it is in the database.
struct QueueRecord: Codable, Sendable {
    let name: String
    let attemptsMax, lossesMax, retentionDays: Int
    let backoffBase, backoffCap, lease: Int64
    let backoffFactor, backoffJitter: Double
    let onDead: QueueDeclaration.OnDead
    let producers: Said<[String]>
    let keyLimit, runningMax, rateBurst: Said<Int>
    let isFair, isEncrypted: Bool
    let ratePerSecond: Said<Double>
    let ageing: Said<Int64>

    enum CodingKeys: String, CodingKey {
        case name, producers
        case attemptsMax = "attempts_max"
        case lossesMax = "losses_max"
        case retentionDays = "retention_days"
        case backoffBase = "backoff_base_ms"
        case backoffCap = "backoff_cap_ms"
        case lease = "lease_ms"
        case backoffFactor = "backoff_factor"
        case backoffJitter = "backoff_jitter"
        case onDead = "on_dead"
        case keyLimit = "key_limit"
        case isFair = "is_fair"
        case runningMax = "running_max"
        case ratePerSecond = "rate_per_second"
        case rateBurst = "rate_burst"
        case ageing = "ageing_ms"
        case isEncrypted = "is_encrypted"
    }

    init(_ queue: QueueDeclaration) {
        self.name = queue.name.text
        self.attemptsMax = queue.attemptsMax
        self.lossesMax = queue.lossesMax
        self.retentionDays = max(1, Int(queue.retention.components.seconds / 86_400))
        self.backoffBase = queue.backoff.base.wholeMilliseconds
        self.backoffCap = queue.backoff.cap.wholeMilliseconds
        self.lease = queue.lease.wholeMilliseconds
        self.backoffFactor = queue.backoff.factor
        self.backoffJitter = queue.backoff.jitter
        self.onDead = queue.onDead
        self.producers = Said(queue.producers.map { $0.map(\.text).sorted() })
        if case .byKey(let limit) = queue.order { self.keyLimit = Said(limit) } else { self.keyLimit = Said(nil) }
        self.isFair = queue.order == .fair
        self.runningMax = Said(queue.runningMax)
        self.ratePerSecond = Said(queue.rate?.perSecond)
        self.rateBurst = Said(queue.rate?.burst)
        self.ageing = Said(queue.ageing.map(\.wholeMilliseconds))
        self.isEncrypted = queue.isEncrypted
    }

    /// A value or null, but never left out.
    struct Said<Value: Codable & Sendable>: Codable, Sendable {
        let value: Value?

        init(_ value: Value?) { self.value = value }

        init(from decoder: any Decoder) throws {
            self.value = try decoder.singleValueContainer().decode(Value?.self)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(self.value)
        }
    }
}
