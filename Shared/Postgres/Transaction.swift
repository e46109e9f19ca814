internal import NIOConcurrencyHelpers

/// How much a transaction sees of others (https://www.postgresql.org/docs/15/transaction-iso.html).
public enum IsolationLevel: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable
}

/// An open transaction. To hold one is the permission to write: it cannot be copied, stored or used after its scope.
public struct Transaction: ~Copyable, QueryRunner {
    let connection: Connection
    let scope: TransactionScope
    private let depth: Int

    init(_ connection: Connection, scope: TransactionScope, depth: Int = 0) {
        self.connection = connection
        self.scope = scope
        self.depth = depth
    }

    public func run(_ sql: SQL) async throws -> QueryResult {
        guard let begin = self.scope.takeBegin() else {
            try self.checkOpen()
            return try await self.connection.run(sql)
        }
        guard let last = try await self.begin(begin, with: [sql]).last else {
            throw DatabaseError(.misuse, context: "a statement without a result")
        }
        return last
    }

    public func pipeline(_ statements: [SQL]) async throws -> [QueryResult] {
        guard !statements.isEmpty else { return [] }
        guard let begin = self.scope.takeBegin() else {
            try self.checkOpen()
            return try await self.connection.pipeline(statements)
        }
        return try await self.begin(begin, with: statements)
    }

    /// The transaction begins in the round trip of its first statements.
    private func begin(_ begin: SQL, with statements: [SQL]) async throws -> [QueryResult] {
        do {
            return Array(try await self.connection.pipeline([begin] + statements).dropFirst())
        } catch let error as DatabaseError where error.code == .planInvalidated {
            // Nothing has happened in this transaction yet, so it can begin once more with the plan made anew.
            _ = try await self.connection.perform(.statement("rollback"), isCancellable: false)
            return Array(try await self.connection.pipeline([begin] + statements).dropFirst())
        } catch {
            // When nothing was sent at all, the next statement must still begin the transaction.
            if self.connection.condition.value == .idle { self.scope.putBack(begin) }
            throw error
        }
    }

    /// Behind a transaction that somebody has ended with a statement of their own, each statement would commit itself.
    private func checkOpen() throws {
        guard self.connection.condition.value != .idle else {
            throw DatabaseError(.misuse, context: "the transaction has ended")
        }
    }

    /// Runs the body so that its failure undoes only what it did: the transaction goes on.
    @discardableResult
    public func savepoint<R>(_ body: (borrowing Transaction) async throws -> R) async throws -> R {
        let name = "p\(self.depth + 1)"
        try await self.execute(SQL(trusted: "savepoint \(name)"))
        let mark = self.scope.mark
        do {
            let result = try await body(Transaction(self.connection, scope: self.scope, depth: self.depth + 1))
            try await self.execute(SQL(trusted: "release savepoint \(name)"))
            return result
        } catch {
            self.scope.drop(from: mark)
            // Even for a cancelled task: what the body did must not be committed.
            let undo = [SQL(trusted: "rollback to savepoint \(name)"), SQL(trusted: "release savepoint \(name)")]
            if self.connection.condition.value != .lost {
                _ = try await self.connection.perform(.pipeline(undo), isCancellable: false)
            }
            throw error
        }
    }

    /// Runs a statement whose result nobody needs as the last one of the transaction, in the round trip of the commit.
    /// Several run in the order in which they were given. One that fails fails the transaction: nothing is committed,
    /// and its error is what the transaction throws. Dropped with the savepoint this is said in.
    public func last(_ sql: SQL) {
        self.scope.addLast(sql)
    }

    /// Runs an action once when this transaction has been committed; never when it, or the savepoint this is said in,
    /// is rolled back. Actions run in the order in which they were given, in the task that ran the transaction.
    public func afterCommit(_ action: @escaping @Sendable () -> Void) {
        self.scope.add(action)
    }
}

/// What a transaction and its savepoints share.
final class TransactionScope: Sendable {
    private struct State {
        var begin: SQL?
        var last: [SQL] = []
        var actions: [@Sendable () -> Void] = []
    }

    /// What a savepoint goes back to.
    struct Mark {
        let last: Int
        let actions: Int
    }

    private let state: NIOLockedValueBox<State>

    init(begin: SQL) {
        self.state = NIOLockedValueBox(State(begin: begin))
    }

    /// The statement that begins the transaction, for the first who asks.
    func takeBegin() -> SQL? {
        self.state.withLockedValue { state in
            defer { state.begin = nil }
            return state.begin
        }
    }

    func putBack(_ begin: SQL) {
        self.state.withLockedValue { $0.begin = begin }
    }

    var hasBegun: Bool { self.state.withLockedValue { $0.begin == nil } }

    var mark: Mark {
        self.state.withLockedValue { Mark(last: $0.last.count, actions: $0.actions.count) }
    }

    func addLast(_ sql: SQL) {
        self.state.withLockedValue { $0.last.append(sql) }
    }

    func takeLast() -> [SQL] {
        self.state.withLockedValue { state in
            defer { state.last = [] }
            return state.last
        }
    }

    func add(_ action: @escaping @Sendable () -> Void) {
        self.state.withLockedValue { $0.actions.append(action) }
    }

    func drop(from mark: Mark) {
        self.state.withLockedValue { state in
            state.last.removeSubrange(mark.last...)
            state.actions.removeSubrange(mark.actions...)
        }
    }

    func runActions() {
        let actions = self.state.withLockedValue { state in
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }
}

extension Connection {
    /// Runs the body in a transaction: commits when it returns, rolls back when it throws or the task is cancelled.
    ///
    /// The transaction begins with its first statement; a body without statements costs nothing. Once the commit is
    /// sent a cancellation no longer matters: its outcome is awaited.
    /// - Throws: what the body throws; `DatabaseError` (`transaction-aborted`) when the body swallowed an error of the
    ///   server, so that nothing could be committed; `CancellationError`.
    @discardableResult
    public nonisolated(nonsending) func transaction<R>(
        isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: (borrowing Transaction) async throws -> R
    ) async throws -> R {
        guard self.condition.value == .idle else {
            throw DatabaseError(.misuse, context: "a transaction is open on this connection")
        }
        let isolationText = isolation == .readCommitted ? "" : " isolation level \(isolation.rawValue)"
        let scope = TransactionScope(begin: SQL(trusted: "begin\(isolationText)\(readOnly ? " read only" : "")"))
        let result: R
        do {
            result = try await body(Transaction(self, scope: scope))
            try Task.checkCancellation()
        } catch {
            await self.rollback(scope)
            throw error
        }
        try await self.commit(scope)
        scope.runActions()
        return result
    }

    private func commit(_ scope: TransactionScope) async throws {
        let last = scope.takeLast()
        guard scope.hasBegun || !last.isEmpty else { return }
        let results: [ResultStorage]
        if last.isEmpty {
            results = try await self.perform(.statement("commit"), isCancellable: false)
        } else {
            let statements = [scope.takeBegin()].compactMap(\.self) + last + [SQL(trusted: "commit")]
            do {
                results = try await self.perform(.pipeline(statements), isCancellable: false)
            } catch {
                await self.rollback(scope)
                throw error
            }
        }
        // PostgreSQL answers the commit of a failed transaction with a rollback and no error.
        guard results.last?.commandTag == "COMMIT" else {
            throw DatabaseError(.transactionAborted, context: "an error of the server was not passed on")
        }
    }

    /// Not cancellable: it is most wanted when the task has been cancelled.
    private func rollback(_ scope: TransactionScope) async {
        guard scope.hasBegun, self.condition.value == .inTransaction else { return }
        do {
            _ = try await self.perform(.statement("rollback"), isCancellable: false)
        } catch {
            self.close()
        }
    }
}
