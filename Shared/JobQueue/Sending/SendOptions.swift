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
    /// From then on the job is not begun any more: it ends as cancelled, with the code `deadline-exceeded`.
    public var deadline: Timestamp?
    /// Keeps the job from being there twice.
    public var unique: Uniqueness?

    /// At once and with normal priority unless said otherwise.
    public init(
        start: Start = .atOnce, priority: Priority = .normal, deadline: Timestamp? = nil, unique: Uniqueness? = nil
    ) {
        self.start = start
        self.priority = priority
        self.deadline = deadline
        self.unique = unique
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

/// A name under which a job can be in its queue only once.
public struct Uniqueness: Sendable, Hashable {
    /// What becomes of a job that comes while one of its name is there.
    public enum Policy: String, Sendable, Codable {
        /// The first one stands for both.
        case ignore
        /// The first one gets the new arguments, unless it has begun: then the new one is sent.
        case replace
        /// As `replace`, and the job waits anew: it runs when nothing has come for the length of the window.
        case debounce
    }

    /// Within the queue; not personal, because it is kept.
    public let key: String
    /// For how long after the first one was sent; nil: as long as that one is unfinished.
    public let window: Duration?
    public let policy: Policy

    /// The first one stands for all of its name.
    public static func once(_ key: String, within window: Duration? = nil) -> Uniqueness {
        Uniqueness(key: key, window: window, policy: .ignore)
    }

    /// The latest arguments win.
    public static func latest(_ key: String, within window: Duration? = nil) -> Uniqueness {
        Uniqueness(key: key, window: window, policy: .replace)
    }

    /// Runs once things have been quiet for so long, with the latest arguments.
    public static func quiet(_ key: String, for window: Duration) -> Uniqueness {
        Uniqueness(key: key, window: window, policy: .debounce)
    }
}
