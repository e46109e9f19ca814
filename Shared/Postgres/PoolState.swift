internal import DequeModule

/// What has happened to the callers of a pool since it was made.
public struct PoolTotals: Sendable, Hashable {
    /// How many had to wait and got a connection.
    public var waits = 0
    /// How long those waited, together.
    public var waited = Duration.zero
    /// How many got none: too many waited already, or they waited too long.
    public var refusals = 0

    /// Nothing yet.
    public init() {}
}

/// How a pool stands.
public struct PoolReading: Sendable {
    /// Connections that somebody uses.
    public let lent: Int
    /// Connections that nobody uses.
    public let idle: Int
    /// Connections that are being opened.
    public let opening: Int
    /// Callers that wait for one.
    public let waiting: Int
    public let totals: PoolTotals
}

/// Who has which connection and who waits: the pool's decisions, without any I/O.
///
/// The owner keeps it behind a lock, tells it what happened, and carries out the ``Actions`` it returns.
struct PoolState<Connection: Sendable, Waiter: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Actions: Sendable {
        var lend: (connection: Connection, waiter: Waiter)?
        /// Connections to open.
        var open = 0
        var refuse: [(waiter: Waiter, error: DatabaseError)] = []
        var close: [Connection] = []
        /// The clock must call ``tick(now:)`` from now on.
        var startTicking = false
        /// The last connection is back after a shutdown.
        var isFinished = false
    }

    private struct Idle {
        let connection: Connection
        let since: Instant
    }

    private struct Waiting {
        let id: UInt64
        let waiter: Waiter
        let since: Instant
        let deadline: Instant
    }

    let limits: PoolLimits
    /// The latest returned is lent first, so that those too many grow old.
    private var idle: [Idle] = []
    private var waiting = Deque<Waiting>()
    private(set) var lentCount = 0
    private(set) var openingCount = 0
    private(set) var isClosed = false
    private var isTicking = false
    private(set) var totals = PoolTotals()

    init(limits: PoolLimits) {
        self.limits = limits
    }

    var idleCount: Int { self.idle.count }
    var waitingCount: Int { self.waiting.count }

    /// A connection at once, when one is idle.
    mutating func takeIdle() -> Connection? {
        guard let last = self.idle.popLast() else { return nil }
        self.lentCount += 1
        return last.connection
    }

    /// Somebody wants a connection and can wait.
    mutating func request(_ waiter: Waiter, id: UInt64, now: Instant) -> Actions {
        var actions = Actions()
        guard !self.isClosed else {
            actions.refuse = [(waiter, DatabaseError(.poolClosed))]
            return actions
        }
        if let connection = self.takeIdle() {
            actions.lend = (connection, waiter)
            return actions
        }
        guard self.waiting.count < self.limits.waiting else {
            self.totals.refusals += 1
            actions.refuse = [(waiter, DatabaseError(.poolExhausted, context: "\(self.waiting.count) callers wait"))]
            return actions
        }
        self.waiting.append(Waiting(id: id, waiter: waiter, since: now, deadline: now + self.limits.waitTimeout))
        self.openForWaiters(&actions)
        self.tickIfNeeded(&actions)
        return actions
    }

    /// A waiter has lost interest. Nil when it was answered before.
    mutating func cancel(_ id: UInt64) -> Waiter? {
        guard let position = self.waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return self.waiting.remove(at: position).waiter
    }

    mutating func opened(_ connection: Connection, now: Instant) -> Actions {
        self.openingCount -= 1
        var actions = Actions()
        self.place(connection, now, &actions)
        return actions
    }

    /// When no other connection is there to wait for, nobody is left waiting in vain.
    mutating func openFailed(_ error: DatabaseError) -> Actions {
        self.openingCount -= 1
        var actions = Actions()
        if self.lentCount + self.openingCount == 0 {
            actions.refuse = self.waiting.map { ($0.waiter, error) }
            self.waiting.removeAll()
        }
        return actions
    }

    /// A lent connection comes back; one that is not at rest is given up.
    mutating func returned(_ connection: Connection, isUsable: Bool, now: Instant) -> Actions {
        self.lentCount -= 1
        var actions = Actions()
        if isUsable {
            self.place(connection, now, &actions)
        } else {
            actions.close = [connection]
            self.openForWaiters(&actions)
        }
        actions.isFinished = self.isClosed && self.lentCount == 0
        return actions
    }

    /// The server has closed a connection; matters when it was idle, else its user will bring it back.
    mutating func lost(where isLost: (Connection) -> Bool) {
        self.idle.removeAll { isLost($0.connection) }
    }

    /// Time has passed.
    mutating func tick(now: Instant) -> Actions {
        var actions = Actions()
        while let first = self.waiting.first, first.deadline <= now {
            self.waiting.removeFirst()
            self.totals.refusals += 1
            actions.refuse.append((first.waiter, DatabaseError(.poolTimeout)))
        }
        let old = self.idle.filter { $0.since + self.limits.idleTimeout <= now }
        if !old.isEmpty {
            self.idle.removeAll { $0.since + self.limits.idleTimeout <= now }
            actions.close = old.map(\.connection)
        }
        self.isTicking = false
        self.tickIfNeeded(&actions)
        return actions
    }

    /// No more connections for anybody; those that are lent are closed when they come back.
    mutating func shutdown() -> Actions {
        var actions = Actions()
        self.isClosed = true
        actions.refuse = self.waiting.map { ($0.waiter, DatabaseError(.poolClosed)) }
        actions.close = self.idle.map(\.connection)
        self.waiting.removeAll()
        self.idle.removeAll()
        actions.isFinished = self.lentCount == 0
        return actions
    }

    /// Gives a connection that is at rest to who waits longest.
    private mutating func place(_ connection: Connection, _ now: Instant, _ actions: inout Actions) {
        if self.isClosed {
            actions.close.append(connection)
        } else if let next = self.waiting.popFirst() {
            self.lentCount += 1
            self.totals.waits += 1
            self.totals.waited += next.since.duration(to: now)
            actions.lend = (connection, next.waiter)
        } else {
            self.idle.append(Idle(connection: connection, since: now))
            self.tickIfNeeded(&actions)
        }
    }

    /// One connection is opened for each waiter, up to the size of the pool.
    private mutating func openForWaiters(_ actions: inout Actions) {
        let room = self.limits.size - self.lentCount - self.idle.count - self.openingCount
        let wanted = min(room, self.waiting.count - self.openingCount)
        guard wanted > 0, !self.isClosed else { return }
        self.openingCount += wanted
        actions.open = wanted
    }

    private mutating func tickIfNeeded(_ actions: inout Actions) {
        guard !self.isTicking, !self.isClosed, !(self.waiting.isEmpty && self.idle.isEmpty) else { return }
        self.isTicking = true
        actions.startTicking = true
    }
}
