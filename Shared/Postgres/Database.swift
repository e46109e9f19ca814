public import Logging
internal import NIOConcurrencyHelpers

/// A database through a pool of connections.
///
/// Opens connections when they are wanted and closes them when nobody has wanted them for a while. A connection that is
/// not known to be at rest is never lent again.
public final class Database: QueryRunner, Sendable {
    typealias State = PoolState<Connection, CheckedContinuation<Connection, any Error>>

    public let configuration: DatabaseConfiguration
    private let settings: Result<ConnectionString, DatabaseError>
    private let reactor: Reactor
    private let logger: Logger
    private let state: NIOLockedValueBox<State>
    private let lastWaiter = NIOLockedValueBox<UInt64>(0)
    private let finished: NIOLockedValueBox<[CheckedContinuation<Void, Never>]> = NIOLockedValueBox([])

    /// Opens nothing yet. A connection string that cannot be read is reported by the first use.
    public init(_ configuration: DatabaseConfiguration, reactor: Reactor, logger: Logger) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
        self.state = NIOLockedValueBox(State(limits: configuration.pool))
        do {
            self.settings = .success(try ConnectionString(configuration))
        } catch {
            self.settings = .failure(
                error as? DatabaseError ?? DatabaseError(.invalidConfiguration, context: "\(type(of: error))"))
        }
    }

    deinit {
        let idle = self.state.withLockedValue { $0.shutdown() }.close
        self.reactor.loop.post {
            for connection in idle { connection.assumeIsolated { $0.close() } }
        }
    }

    // MARK: Using

    public func run(_ sql: SQL) async throws -> QueryResult {
        try await self.withConnection { try await $0.run(sql) }
    }

    public func pipeline(_ statements: [SQL]) async throws -> [QueryResult] {
        try await self.withConnection { try await $0.pipeline(statements) }
    }

    /// Lends a connection. What the body leaves behind in the session (settings, locks) stays there.
    /// - Throws: `DatabaseError` (`pool-closed`, `pool-exhausted`, `pool-timeout` and those of connecting) and what
    ///   the body throws.
    @discardableResult
    public func withConnection<R>(_ body: (Connection) async throws -> R) async throws -> R {
        let connection = try await self.borrow()
        defer { self.giveBack(connection) }
        return try await body(connection)
    }

    /// Runs the body in a transaction: commits when it returns, rolls back when it throws or the task is cancelled.
    /// See ``Connection/transaction(isolation:readOnly:_:)``.
    @discardableResult
    public func transaction<R>(
        isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: (borrowing Transaction) async throws -> R
    ) async throws -> R {
        try await self.withConnection {
            try await $0.transaction(isolation: isolation, readOnly: readOnly, body)
        }
    }

    /// Answers everybody who waits with `pool-closed` and returns when the last connection is closed.
    public func shutdown() async {
        let actions = self.state.withLockedValue { $0.shutdown() }
        await withCheckedContinuation { continuation in
            self.finished.withLockedValue { $0.append(continuation) }
            self.perform(actions)
        }
    }

    /// How many callers wait for a connection now.
    public var waitingCount: Int { self.state.withLockedValue { $0.waitingCount } }

    /// How the pool stands, for whoever watches it.
    public var poolReading: PoolReading {
        self.state.withLockedValue {
            PoolReading(
                lent: $0.lentCount, idle: $0.idleCount, opening: $0.openingCount, waiting: $0.waitingCount,
                totals: $0.totals)
        }
    }

    // MARK: Pool

    private func borrow() async throws -> Connection {
        if let connection = self.state.withLockedValue({ $0.takeIdle() }) { return connection }
        try Task.checkCancellation()
        let id = self.lastWaiter.withLockedValue { last in
            last += 1
            return last
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let actions = self.state.withLockedValue { $0.request(continuation, id: id, now: .now) }
                self.perform(actions)
                if Task.isCancelled { self.cancelWaiter(id) }
            }
        } onCancel: {
            self.cancelWaiter(id)
        }
    }

    private func cancelWaiter(_ id: UInt64) {
        self.state.withLockedValue { $0.cancel(id) }?.resume(throwing: CancellationError())
    }

    private func giveBack(_ connection: Connection) {
        let isUsable = connection.condition.value == .idle
        self.perform(self.state.withLockedValue { $0.returned(connection, isUsable: isUsable, now: .now) })
    }

    private func perform(_ actions: State.Actions) {
        if let lend = actions.lend { lend.waiter.resume(returning: lend.connection) }
        for refusal in actions.refuse { refusal.waiter.resume(throwing: refusal.error) }
        if !actions.close.isEmpty {
            let connections = actions.close
            self.reactor.loop.post {
                for connection in connections { connection.assumeIsolated { $0.close() } }
            }
        }
        for _ in 0..<actions.open { self.open() }
        if actions.startTicking { self.startTicking() }
        if actions.isFinished {
            let waiters = self.finished.withLockedValue { waiters in
                defer { waiters = [] }
                return waiters
            }
            // Behind the closing of the last connections.
            self.reactor.loop.post {
                for waiter in waiters { waiter.resume() }
            }
        }
    }

    private func open() {
        self.reactor.loop.post { [self] in
            switch self.settings {
            case .failure(let error): self.opened(.failure(error))
            case .success(let settings):
                Connection.open(
                    settings, self.configuration, on: self.reactor,
                    closed: { [weak self] connection, error in self?.closed(connection, error) },
                    completion: { self.opened($0) })
            }
        }
    }

    private func opened(_ result: Result<Connection, DatabaseError>) {
        switch result {
        case .success(let connection):
            self.perform(self.state.withLockedValue { $0.opened(connection, now: .now) })
        case .failure(let error):
            self.logger.info("Cannot connect to the database", metadata: ["error": "\(error)"])
            self.perform(self.state.withLockedValue { $0.openFailed(error) })
        }
    }

    private func closed(_ connection: Connection, _ error: DatabaseError) {
        self.state.withLockedValue { $0.lost { $0 === connection } }
        self.logger.debug("Connection closed", metadata: ["error": "\(error)"])
    }

    private func startTicking() {
        let shortest = min(self.configuration.pool.waitTimeout, self.configuration.pool.idleTimeout)
        let interval = min(.seconds(1), max(.milliseconds(10), shortest / 5))
        self.reactor.loop.post { [weak self] in
            guard let self else { return }
            self.reactor.loop.schedule(after: interval) { [weak self] in
                guard let self else { return }
                self.perform(self.state.withLockedValue { $0.tick(now: .now) })
            }
        }
    }
}
