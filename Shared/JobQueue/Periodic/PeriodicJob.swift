public import Kernel

/// A command that is sent again and again, as its owner declares it in code.
///
/// ```swift
/// PeriodicJob("ledger.expire-points", try .daily(at: "03:30", in: "Europe/Moscow"), send: ExpirePoints())
/// ```
///
/// There is no leader and no scheduler process. Declarations are rows of `queue.periodic`; once a second each process of
/// the service fires what is due of the jobs that its own code declares. The lock on the row decides who: sending the
/// job and moving the row on are one transaction, so a due moment is neither lost nor fired twice. The handler finds
/// the moment in ``JobContext/scheduledFor``.
///
/// Deploying a service touches no other service's rows. While two versions of a service run, the definition of the
/// process that started last holds. A job that is not declared any more stays in the table, is fired by nobody, and
/// shows as not declared after a day.
public struct PeriodicJob: Sendable {
    /// What becomes of moments that passed while no process of the service ran.
    public enum CatchUp: Sendable, Hashable {
        /// Nothing. A moment that is more than a minute ago is given up.
        case skip
        /// One job for the last of them.
        case one
        /// A job for each of them, the earliest first; of more than so many, up to 1000, the last ones.
        case all(atMost: Int)
    }

    public let name: PeriodicName
    public let schedule: Schedule
    public let catchUp: CatchUp
    let queue: QueueName
    let kind: String
    let version: Int
    let command: any Command

    /// - Parameter command: sent as it is, each time the same.
    public init<C: Command>(
        _ name: PeriodicName, _ schedule: Schedule, catchUp: CatchUp = .one, send command: C
    ) {
        if case .all(let most) = catchUp { precondition(1...1000 ~= most, "catch-up of \(name) is not 1 to 1000") }
        self.name = name
        self.schedule = schedule
        self.catchUp = catchUp
        self.queue = C.queue
        self.kind = C.name
        self.version = C.version
        self.command = command
    }
}

extension PeriodicJob: Encodable {
    private enum Key: String, CodingKey {
        case name, queue, kind, version, key, args, schedule
        case scheduleText = "schedule_text"
        case timeZone = "time_zone"
        case catchUp = "catch_up"
        case catchUpMax = "catch_up_max"
    }

    /// As `queue.declare_periodic` reads it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(self.name, forKey: .name)
        try container.encode(self.queue, forKey: .queue)
        try container.encode(self.kind, forKey: .kind)
        try container.encode(self.version, forKey: .version)
        try container.encodeIfPresent(self.command.orderingKey, forKey: .key)
        try self.command.encode(to: container.superEncoder(forKey: .args))
        try container.encode(self.schedule, forKey: .schedule)
        try container.encode(self.schedule.description, forKey: .scheduleText)
        try container.encode(self.schedule.timeZone, forKey: .timeZone)
        let (policy, most) =
            switch self.catchUp {
            case .skip: ("skip", 1)
            case .one: ("one", 1)
            case .all(let most): ("all", most)
            }
        try container.encode(policy, forKey: .catchUp)
        try container.encode(most, forKey: .catchUpMax)
    }
}
