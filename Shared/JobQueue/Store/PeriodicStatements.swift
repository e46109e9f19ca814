internal import Kernel
internal import Postgres

/// The statements for periodic jobs.
enum PeriodicStatements {
    static func declare(_ service: ServiceName, _ jobs: [PeriodicJob], started: Timestamp?) throws -> SQL {
        "select queue.declare_periodic(\(service.text), \(RawJSON(try MessageCoder.text(jobs))), \(started))"
    }

    static func fire(_ service: ServiceName, _ jobs: [PeriodicName], limit: Int) -> SQL {
        """
        select queues, owners, next_due_ms
        from queue.fire_periodic(\(service.text), \(jobs.map(\.text)), \(Int32(clamping: limit)))
        """
    }

    static var list: SQL {
        "select * from queue.list_periodic()"
    }

    static func pause(_ job: PeriodicName, reason: String) -> SQL {
        "select queue.pause_periodic(\(job.text), \(reason))"
    }

    static func resume(_ job: PeriodicName, reason: String) -> SQL {
        "select queue.resume_periodic(\(job.text), \(reason))"
    }

    static func runNow(_ job: PeriodicName, reason: String) -> SQL {
        "select job_id, queue_id from queue.run_periodic(\(job.text), \(reason))"
    }

    static func preview(_ job: PeriodicName, count: Int) -> SQL {
        "select p from queue.preview_periodic(\(job.text), \(Int32(clamping: count))) p"
    }
}
