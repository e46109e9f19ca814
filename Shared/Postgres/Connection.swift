internal import NIOConcurrencyHelpers

/// One session with the server. Its executor is the reactor, where all of libpq runs.
///
/// Statements that are asked for at the same time run one after the other, in the order in which they were asked.
public actor Connection: QueryRunner {
    nonisolated let reactor: Reactor
    /// What the connection is fit for, readable without a hop.
    nonisolated let condition: ConnectionCondition
    private let wire: Wire

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.reactor.asUnownedSerialExecutor()
    }

    init(_ wire: Wire, reactor: Reactor) {
        self.wire = wire
        self.reactor = reactor
        self.condition = wire.condition
    }

    /// - Throws: `DatabaseError`; `CancellationError` when the task was cancelled, then the statement is too.
    public func run(_ sql: SQL) async throws -> QueryResult {
        let results = try await self.perform(.statement(sql))
        guard let last = results.last else {
            throw DatabaseError(.misuse, context: "a statement without a result")
        }
        return QueryResult(storage: last)
    }

    /// Runs all in one round trip. Outside of a transaction they are one: all or none.
    /// - Throws: the error of the first that failed; those behind it did not run.
    public func pipeline(_ statements: [SQL]) async throws -> [QueryResult] {
        guard !statements.isEmpty else { return [] }
        return try await self.perform(.pipeline(statements)).map { QueryResult(storage: $0) }
    }

    /// Runs a text of any number of statements, as a migration is.
    func script(_ text: String, isCancellable: Bool = true) async throws {
        _ = try await self.perform(.script(text), isCancellable: isCancellable)
    }

    func perform(_ kind: Request.Kind, isCancellable: Bool = true) async throws -> [ResultStorage] {
        guard isCancellable else {
            return try await withCheckedThrowingContinuation { continuation in
                let request = Request(kind)
                request.continuation = continuation
                self.wire.submit(request)
            }
        }
        try Task.checkCancellation()
        let request = Request(kind)
        return try await withTaskCancellationHandler {
            // Closures of an actor are isolated to it only when they capture it: `self` is not to be left out here.
            try await withCheckedThrowingContinuation { continuation in
                request.continuation = continuation
                self.wire.submit(request)
                // Cancelled between the check above and here: the handler found nothing to cancel.
                if Task.isCancelled { self.wire.cancel(request) }
            }
        } onCancel: {
            self.reactor.loop.post { self.assumeIsolated { $0.wire.cancel(request) } }
        }
    }

    func close(_ error: DatabaseError = DatabaseError(.connectionLost, context: "closed")) {
        self.wire.close(error)
    }
}

/// What a connection is fit for, as its wire last saw it.
final class ConnectionCondition: Sendable {
    enum Value: Sendable { case idle, inTransaction, lost }
    private let box = NIOLockedValueBox(Value.idle)

    var value: Value { self.box.withLockedValue { $0 } }

    func set(_ value: Value) {
        self.box.withLockedValue { $0 = value }
    }
}

extension Connection {
    /// Connects. Calls back on the reactor's thread, from where it must be called.
    static func open(
        _ settings: ConnectionString, _ configuration: DatabaseConfiguration, on reactor: Reactor,
        closed: @escaping @Sendable (Connection, DatabaseError) -> Void,
        completion: @escaping @Sendable (Result<Connection, DatabaseError>) -> Void
    ) {
        Connector.connect(settings, on: reactor.loop) { result in
            completion(
                result.map { handle in
                    let wire = Wire(owning: handle, loop: reactor.loop, configuration)
                    let connection = Connection(wire, reactor: reactor)
                    wire.events.closed = { [weak connection] error in
                        if let connection { closed(connection, error) }
                    }
                    return connection
                })
        }
    }
}
