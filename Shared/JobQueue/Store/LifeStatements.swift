internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// The statements by which a process lives, sleeps and is woken.
enum LifeStatements {
    static func register(_ service: ServiceName, host: String, pid: Int32) -> SQL {
        "select queue.register(\(service.text), \(host), \(pid))"
    }

    static func rejoin(_ worker: Int32) -> SQL {
        "select queue.rejoin(\(worker))"
    }

    static func beat(_ worker: Int32) -> SQL {
        "select queue.beat(\(worker))"
    }

    static func leave(_ worker: Int32) -> SQL {
        "select queue.leave(\(worker))"
    }

    static func tend(_ worker: Int32, limit: Int) -> SQL {
        "select queues, next_due_ms from queue.tend(\(worker), \(Int32(clamping: limit)))"
    }

    static func prepareDays(ahead: Int) -> SQL {
        "select queue.prepare_days(\(Int32(clamping: ahead)))"
    }

    static var dropStaleReplies: SQL {
        "select queue.drop_stale_replies()"
    }

    static func sleep(_ worker: Int32) -> SQL {
        "select queue.sleep(\(worker))"
    }

    static func bell(queues: [Int16], instances: [Int32]) -> SQL {
        "select queue.bell(\(queues), \(instances))"
    }

    static func collect(_ worker: Int32) -> SQL {
        "select id, status, body from queue.collect(\(worker))"
    }

    static func declare(_ service: ServiceName, _ queues: [QueueDeclaration]) -> SQL {
        let records = queues.map(QueueRecord.init)
        return "select name, id from queue.declare(\(service.text), \(JSONB(records)))"
    }

    static func subscribe(_ queue: Int16, to events: [String]) -> SQL {
        "select queue.subscribe(\(queue), \(events))"
    }
}

/// A declaration as `queue.declare` reads it: the columns of `queue.queue`.
private struct QueueRecord: Codable, Sendable {
    let name: String
    let attemptsMax, lossesMax, retentionDays: Int
    let backoffBase, backoffCap, lease: Int64
    let backoffFactor, backoffJitter: Double
    let onDead: QueueDeclaration.OnDead
    let producers: [String]?

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
        self.producers = queue.producers.map { $0.map(\.text).sorted() }
    }
}
