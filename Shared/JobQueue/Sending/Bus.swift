public import Kernel
public import Logging
internal import NIOConcurrencyHelpers
public import Postgres

/// How a process learns that there is work for it, or an answer.
public enum Listening: String, Sendable, CaseIterable {
    /// By notifications, on a connection of its own; polls are the net below.
    case bells
    /// By looking four times a second, and nothing in the process needs a session: for databases that are reached through
    /// a pooler of transactions, such as PgBouncer. Jobs begin up to a quarter of a second late, calls take up to half a
    /// second more, and jobs of a process that died run elsewhere after 15 s instead of 3.
    ///
    /// The database's configuration must not prepare statements (`DatabaseConfiguration.preparesStatements`).
    case pollOnly
}

/// The bus as one service sees it: sends commands, publishes events, asks questions.
///
/// What is sent in a transaction exists if and only if that transaction commits. Rings after the commit, answers and
/// rescues need the bus's ``Worker`` to run; without one everything is sent all the same, and found by the polls.
public final class Bus: Sendable {
    public let service: ServiceName
    let database: Database
    let neighbourhood: Neighbourhood
    let listener: Listener
    let clock: any WallClock
    let random: RandomBytes
    let logger: Logger
    let metrics: BusMetrics
    let directory = QueueDirectory()
    let cipher: MessageCipher
    let middleware: MiddlewareChain
    let listening: Listening
    let callPatience: Duration
    let calls = PendingCalls()
    /// The handlers that run here.
    let running = RunningJobs()
    /// For the ids of jobs that are sent one at a time.
    let numbers = NIOLockedValueBox(NumberLease())
    let doorbell: Doorbell
    let membership: Membership
    /// Wakes the claim loop.
    let work = Alarm()
    /// Wakes the loop that fetches answers.
    let answers = Alarm()

    /// - Parameters:
    ///   - database: the service's own, connected as its role. Statements of the bus outside of transactions use it too.
    ///   - listener: for the bells; the service's own.
    ///   - neighbourhood: the same one for all buses of the process.
    ///   - listening: how bells are heard; with ``Listening/pollOnly`` the listener is not used.
    ///   - middleware: what happens around all jobs, the outermost first.
    ///   - callPatience: how long answers are waited for where a call does not say.
    ///   - keyring: for queues that are encrypted; without it nothing can be sent to them.
    ///   - clock: for measuring how long jobs waited.
    ///   - random: for the numbers of spans.
    public init(
        service: ServiceName, database: Database, listener: Listener, neighbourhood: Neighbourhood = Neighbourhood(),
        listening: Listening = .bells, callPatience: Duration = .seconds(5), keyring: Keyring? = nil,
        middleware: [any JobMiddleware] = [], clock: any WallClock = SystemClock(), random: RandomBytes = .system,
        logger: Logger
    ) {
        self.service = service
        self.database = database
        self.listener = listener
        self.neighbourhood = neighbourhood
        self.clock = clock
        self.random = random
        self.logger = logger
        self.listening = listening
        self.callPatience = callPatience
        self.middleware = MiddlewareChain(links: middleware)
        self.cipher = MessageCipher(keyring: keyring)
        self.metrics = BusMetrics(service)
        self.doorbell = Doorbell(neighbourhood: neighbourhood, metrics: self.metrics, logger: logger)
        self.membership = Membership(
            service: service, database: database, isSessionless: listening == .pollOnly, metrics: self.metrics,
            logger: logger)
    }

    /// Sends a command. It is there once the transaction has committed.
    /// - Returns: its number; of a job with ``SendOptions/unique``, the number of the one that stands for it.
    ///
    /// As a rule the command goes out in the round trip of the commit, and what is wrong with it (a queue that does not
    /// take this service's commands: `insufficient-privilege`) is thrown by the transaction.
    /// - Throws: `DatabaseError`; ``EncryptionError`` when the queue is encrypted and there is no key.
    @discardableResult
    public func send<C: Command>(
        _ command: C, in transaction: borrowing Transaction, _ options: SendOptions = SendOptions()
    ) async throws -> JobID {
        let queue = try await self.directory.find(C.queue, in: transaction)
        return try await self.middleware.send([command], to: C.queue) {
            try await self.put(command, to: queue, in: transaction, options)
        }
    }

    private func put<C: Command>(
        _ command: C, to queue: QueueEntry, in transaction: borrowing Transaction, _ options: SendOptions
    ) async throws -> JobID {
        let payload = try self.cipher.payload(command, for: queue)
        self.ringAfterCommit(queue, options, in: transaction)
        if let unique = options.unique {
            // Which job stands for this one is known only to the database.
            let row = try await transaction.one(
                SendStatements.send(queue.number, payload, options, .current, unique: unique))
            return JobID(try row.value(at: 0, as: Int64.self))
        }
        if let id = self.numbers.withLockedValue({ $0.next(at: .now) }) {
            transaction.last(SendStatements.send(queue.number, payload, options, .current, id: id))
            return id
        }
        let row = try await transaction.one(SendStatements.send(queue.number, payload, options, .current, id: nil))
        let lease = NumberLease(
            first: try row.value(at: 1), milliseconds: try row.value(at: 2), leased: .now)
        self.numbers.withLockedValue { $0 = lease }
        return JobID(try row.value(at: 0, as: Int64.self))
    }

    /// Sends a command that belongs to nothing else: one statement is its whole transaction, in one round trip.
    ///
    /// When this returns, the command is there. What has to happen with it or not at all is sent in a transaction.
    /// - Returns: its number; of a job with ``SendOptions/unique``, the number of the one that stands for it.
    /// - Throws: `DatabaseError`, `insufficient-privilege` when the queue does not take this service's commands;
    ///   ``EncryptionError``. After `connection-lost` it is not known whether the command is there.
    @discardableResult
    public func send<C: Command>(_ command: C, _ options: SendOptions = SendOptions()) async throws -> JobID {
        try await self.middleware.send([command], to: C.queue) {
            try await self.put(command, options)
        }
    }

    private func put<C: Command>(_ command: C, _ options: SendOptions) async throws -> JobID {
        try await self.learning(C.queue) { queue in
            let payload = try self.cipher.payload(command, for: queue)
            let row = try await self.database.one(SendStatements.sendAlone(queue.number, payload, options, .current))
            self.ring(queue, options)
            return JobID(try row.value(at: 0, as: Int64.self))
        }
    }

    /// Sends many commands in one statement; the ids come back in the same order. ``SendOptions/unique`` is for single
    /// commands.
    /// - Throws: `DatabaseError`, `insufficient-privilege` when the queue does not take this service's commands;
    ///   ``EncryptionError``.
    @discardableResult
    public func send<C: Command>(
        contentsOf commands: [C], in transaction: borrowing Transaction, _ options: SendOptions = SendOptions()
    ) async throws -> [JobID] {
        precondition(options.unique == nil, "many jobs cannot share one name")
        guard !commands.isEmpty else { return [] }
        let queue = try await self.directory.find(C.queue, in: transaction)
        return try await self.middleware.send(commands, to: C.queue) {
            let arguments = try self.cipher.arguments(commands, for: queue)
            let row = try await transaction.one(
                SendStatements.send(queue.number, contentsOf: commands, arguments, options, .current))
            let ids = try row.value(at: 0, as: [Int64].self).map { JobID($0) }
            self.ringAfterCommit(queue, options, in: transaction)
            return ids
        }
    }

    /// Publishes an event to every queue that is subscribed to it.
    public func publish<E: Event>(_ event: E, in transaction: borrowing Transaction) async throws {
        try await self.publish(contentsOf: [event], in: transaction)
    }

    /// Publishes many events in one statement, and in a second one where encrypted queues are subscribed.
    /// - Throws: `DatabaseError`; ``EncryptionError`` when such a queue is subscribed and there is no key.
    public func publish<E: Event>(contentsOf events: [E], in transaction: borrowing Transaction) async throws {
        guard !events.isEmpty else { return }
        try await self.middleware.send(events, to: nil) {
            try await self.put(events, in: transaction)
        }
    }

    private func put<E: Event>(_ events: [E], in transaction: borrowing Transaction) async throws {
        let arguments =
            E.isConfidential
            ? try self.cipher.confidential(events) : try events.map { RawJSON(try MessageCoder.text($0)) }
        let subscribed = try await transaction.query(
            SendStatements.publish(events, arguments, leavesOut: !E.isConfidential, .current), as: Subscriber.self)
        let leftOut = subscribed.filter(\.isLeftOut).map(\.entry)
        if let encrypted = leftOut.first {
            let sealed = try self.cipher.arguments(events, for: encrypted)
            try await transaction.execute(
                SendStatements.publish(events, sealed: sealed, to: leftOut.map(\.number), .current))
        }
        let queues = subscribed.map { (number: $0.entry.number, service: $0.entry.name.service) }
        guard !queues.isEmpty else { return }
        transaction.afterCommit { [doorbell = self.doorbell] in doorbell.ring(queues) }
    }

    /// Does it once more, with what is known now, when the database says that the queue has been encrypted meanwhile. For
    /// statements that are a transaction of their own.
    func learning<R>(_ name: QueueName, _ body: (QueueEntry) async throws -> R) async throws -> R {
        do {
            return try await body(try await self.directory.find(name, on: self.database))
        } catch let error as DatabaseError where error.sqlState == "QL009" {
            self.directory.forget(name)
            return try await body(try await self.directory.find(name, on: self.database))
        }
    }

    func ringAfterCommit(
        _ queue: QueueEntry, _ options: SendOptions, in transaction: borrowing Transaction
    ) {
        // A delayed job is rung for when it becomes ready.
        if case .after = options.start { return }
        transaction.afterCommit { [doorbell = self.doorbell] in doorbell.ring(queue.number, of: queue.name.service) }
    }

    private func ring(_ queue: QueueEntry, _ options: SendOptions) {
        if case .after = options.start { return }
        self.doorbell.ring(queue.number, of: queue.name.service)
    }
}
