/// How a handler says what shall become of a job that it cannot do. Any other error means: try again with backoff.
public struct JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Remedy: Hashable, Sendable {
        case bury
        case retry(after: Duration)
        case snooze(Duration)
    }

    let remedy: Remedy
    /// Kebab case, kept with the job for the person who looks at it. Nothing personal.
    public let code: String

    /// Trying again cannot help: the job goes to the dead letters at once.
    public static func permanent(_ code: String) -> JobFailure {
        JobFailure(remedy: .bury, code: code)
    }

    /// Try again, not before so long. Counts as an attempt.
    public static func retry(after delay: Duration, _ code: String = "retry-later") -> JobFailure {
        JobFailure(remedy: .retry(after: delay), code: code)
    }

    /// Not now: again after so long. Counts as no attempt, and the job keeps the place of its key.
    public static func snooze(for delay: Duration) -> JobFailure {
        JobFailure(remedy: .snooze(delay), code: "snoozed")
    }

    public var description: String { "JobFailure(\(self.code))" }
}
