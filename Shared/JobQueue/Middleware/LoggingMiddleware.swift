internal import Kernel
public import Logging

/// One line for each job that this process has brought to an end: dead ones at error, all others at debug. In the line are the
/// job's number, queue, kind and attempt, what became of it and the code of its error; never anything out of its message.
public struct LoggingMiddleware: JobMiddleware {
    private let logger: Logger

    public init(_ logger: Logger) {
        self.logger = logger
    }

    public func ended(_ jobs: [JobContext], of kind: String, _ ending: JobEnding) {
        let level = if case .dead = ending { Logger.Level.error } else { Logger.Level.debug }
        guard self.logger.logLevel <= level else { return }
        for job in jobs {
            var metadata: Logger.Metadata = [
                "queue.job": "\(job.id)", "queue.name": "\(job.queue)", "queue.kind": "\(kind)",
                "queue.attempt": "\(job.attempt)", "queue.outcome": "\(ending.name)",
            ]
            if let code = ending.code { metadata["error"] = "\(code)" }
            // The trace of the line is that of the message.
            TraceContext.$current.withValue(job.trace) {
                self.logger.log(level: level, "Job ended", metadata: metadata)
            }
        }
    }
}

extension JobEnding {
    /// As the metrics call it.
    var name: String {
        switch self {
        case .completed: "completed"
        case .failed: "retried"
        case .dead: "dead"
        case .cancelled: "cancelled"
        case .postponed: "postponed"
        case .givenBack: "given_back"
        case .lost: "lost"
        }
    }

    /// What went wrong; nil when nothing did.
    var code: String? {
        switch self {
        case .failed(let code), .dead(let code): code
        default: nil
        }
    }
}
