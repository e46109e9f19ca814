public import Kernel

/// When and how urgently a job runs.
public struct SendOptions: Sendable, Hashable {
    /// Lower runs first, within one queue. 0 to 4; 2 unless said otherwise.
    public enum Priority: Int16, Sendable {
        case urgent = 0
        case high = 1
        case normal = 2
        case low = 3
        case background = 4
    }

    /// When the job becomes ready.
    public enum Start: Sendable, Hashable {
        case atOnce
        /// So long after it was sent, by the clock of the database server.
        case after(Duration)
        case at(Timestamp)
    }

    public var start: Start
    public var priority: Priority

    /// At once and with normal priority unless said otherwise.
    public init(start: Start = .atOnce, priority: Priority = .normal) {
        self.start = start
        self.priority = priority
    }

    /// So long after it was sent.
    public static func delay(_ duration: Duration) -> SendOptions {
        SendOptions(start: .after(duration))
    }

    /// Not before this moment.
    public static func runAt(_ moment: Timestamp) -> SendOptions {
        SendOptions(start: .at(moment))
    }
}
