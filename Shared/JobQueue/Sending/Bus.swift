public import Kernel
public import Logging
internal import NIOConcurrencyHelpers
public import Postgres

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
    let calls = PendingCalls()
    /// The handlers that run here.
    let running = RunningJobs()
    /// For the ids of jobs that are sent one at a time.
    private let numbers = NIOLockedValueBox(NumberLease())
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
    ///   - clock: for measuring how long jobs waited.
    ///   - random: for the numbers of spans.
    public init(
        service: ServiceName, database: Database, listener: Listener, neighbourhood: Neighbourhood = Neighbourhood(),
        clock: any WallClock = SystemClock(), random: RandomBytes = .system, logger: Logger
    ) {
        self.service = service
        self.database = database
        self.listener = listener
        self.neighbourhood = neighbourhood
        self.clock = clock
        self.random = random
        self.logger = logger
        self.metrics = BusMetrics(service)
        self.doorbell = Doorbell(neighbourhood: neighbourhood, metrics: self.metrics, logger: logger)
        self.membership = Membership(
            service: service, database: database, metrics: self.metrics, logger: logger)
    }

    /// Sends a command. It is there once the transaction has committed.
    /// - Returns: its number; of a job with ``SendOptions/unique``, the number of the one that stands for it.
    ///
    /// As a rule the command goes out in the round trip of the commit, and what is wrong with it (a queue that does not
    /// take this service's commands: `insufficient-privilege`) is thrown by the transaction.
    /// - Throws: `DatabaseError`.
    @discardableResult
    public func send<C: Command>(
        _ command: C, in transaction: borrowing Transaction, _ options: SendOptions = SendOptions()
    ) async throws -> JobID {
        let queue = try await self.directory.number(of: C.queue, in: transaction)
        self.ringAfterCommit(queue, C.queue, options, in: transaction)
        if let unique = options.unique {
            // Which job stands for this one is known only to the database.
            let row = try await transaction.one(
                SendStatements.send(queue, command, options, .current, unique: unique))
            return JobID(try row.value(at: 0, as: Int64.self))
        }
        if let id = self.numbers.withLockedValue({ $0.next(at: .now) }) {
            transaction.last(SendStatements.send(queue, command, options, .current, id: id))
            return id
        }
        let row = try await transaction.one(SendStatements.send(queue, command, options, .current, id: nil))
        let lease = NumberLease(
            first: try row.value(at: 1), milliseconds: try row.value(at: 2), leased: .now)
        self.numbers.withLockedValue { $0 = lease }
        return JobID(try row.value(at: 0, as: Int64.self))
    }

    /// Sends a command that belongs to nothing else: one statement is its whole transaction, in one round trip.
    ///
    /// When this returns, the command is there. What has to happen with it or not at all is sent in a transaction.
    /// - Returns: its number; of a job with ``SendOptions/unique``, the number of the one that stands for it.
    /// - Throws: `DatabaseError`, `insufficient-privilege` when the queue does not take this service's commands. After
    ///   `connection-lost` it is not known whether the command is there.
    @discardableResult
    public func send<C: Command>(_ command: C, _ options: SendOptions = SendOptions()) async throws -> JobID {
        let queue = try await self.directory.number(of: C.queue, on: self.database)
        let row = try await self.database.one(SendStatements.sendAlone(queue, command, options, .current))
        self.ring(queue, C.queue, options)
        return JobID(try row.value(at: 0, as: Int64.self))
    }

    /// Sends many commands in one statement; the ids come back in the same order. ``SendOptions/unique`` is for single
    /// commands.
    /// - Throws: `DatabaseError`, `insufficient-privilege` when the queue does not take this service's commands.
    @discardableResult
    public func send<C: Command>(
        contentsOf commands: [C], in transaction: borrowing Transaction, _ options: SendOptions = SendOptions()
    ) async throws -> [JobID] {
        precondition(options.unique == nil, "many jobs cannot share one name")
        guard !commands.isEmpty else { return [] }
        let queue = try await self.directory.number(of: C.queue, in: transaction)
        let row = try await transaction.one(
            try SendStatements.send(queue, contentsOf: commands, options, .current))
        let ids = try row.value(at: 0, as: [Int64].self).map { JobID($0) }
        self.ringAfterCommit(queue, C.queue, options, in: transaction)
        return ids
    }

    /// Publishes an event to every queue that is subscribed to it.
    public func publish<E: Event>(_ event: E, in transaction: borrowing Transaction) async throws {
        try await self.publish(contentsOf: [event], in: transaction)
    }

    /// Publishes many events in one statement.
    public func publish<E: Event>(contentsOf events: [E], in transaction: borrowing Transaction) async throws {
        guard !events.isEmpty else { return }
        let rows = try await transaction.query(try SendStatements.publish(events, .current))
        let queues = try rows.compactMap { row -> (number: Int16, service: ServiceName)? in
            guard let service = ServiceName(try row.value(at: 1, as: String.self)) else { return nil }
            return (try row.value(at: 0), service)
        }
        guard !queues.isEmpty else { return }
        transaction.afterCommit { [doorbell = self.doorbell] in doorbell.ring(queues) }
    }

    private func ringAfterCommit(
        _ queue: Int16, _ name: QueueName, _ options: SendOptions, in transaction: borrowing Transaction
    ) {
        // A delayed job is rung for when it becomes ready.
        if case .after = options.start { return }
        transaction.afterCommit { [doorbell = self.doorbell] in doorbell.ring(queue, of: name.service) }
    }

    private func ring(_ queue: Int16, _ name: QueueName, _ options: SendOptions) {
        if case .after = options.start { return }
        self.doorbell.ring(queue, of: name.service)
    }
}
