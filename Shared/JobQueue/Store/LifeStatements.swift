internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// The statements by which a process lives, sleeps and is woken.
enum LifeStatements {
    static func register(_ service: ServiceName, host: String, pid: Int32, isSessionless: Bool) -> SQL {
        "select queue.register(\(service.text), \(host), \(pid), \(isSessionless))"
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

    /// - Parameter floor: where the search for what is due begins; nil: at the beginning.
    static func tend(_ worker: Int32, limit: Int, floor: Timestamp?) -> SQL {
        "select queues, next_due_ms, floor from queue.tend(\(worker), \(Int32(clamping: limit)), \(floor))"
    }

    /// - Parameter step: one of those that `queue.keep_flat` knows.
    static func keepFlat(_ worker: Int32, _ step: String) -> SQL {
        "select queue.keep_flat(\(worker), \(step))"
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
        return "select name, id, is_encrypted from queue.declare(\(service.text), \(JSONB(records)))"
    }

    static func subscribe(_ queue: Int16, to events: [String]) -> SQL {
        "select queue.subscribe(\(queue), \(events))"
    }
}
