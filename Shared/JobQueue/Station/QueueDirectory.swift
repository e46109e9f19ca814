internal import Kernel
internal import NIOConcurrencyHelpers
internal import Postgres

/// The numbers of queues, which never change once they are committed.
final class QueueDirectory: Sendable {
    private struct State {
        var numbers: [QueueName: Int16] = [:]
        var names: [Int16: QueueName] = [:]
    }

    private let state = NIOLockedValueBox(State())

    /// The number of a queue that may have been made in this very transaction: it is remembered when that commits.
    func number(of name: QueueName, in transaction: borrowing Transaction) async throws -> Int16 {
        if let known = self.known(name) { return known }
        let row = try await transaction.one(SendStatements.resolve([name]))
        let number = try row.value("id", as: Int16.self)
        transaction.afterCommit { self.learn(name, number) }
        return number
    }

    /// The number of a queue, made now if need be.
    func number(of name: QueueName, on database: Database) async throws -> Int16 {
        if let known = self.known(name) { return known }
        let row = try await database.one(SendStatements.resolve([name]))
        let number = try row.value("id", as: Int16.self)
        self.learn(name, number)
        return number
    }

    func known(_ name: QueueName) -> Int16? {
        self.state.withLockedValue { $0.numbers[name] }
    }

    func name(of number: Int16) -> QueueName? {
        self.state.withLockedValue { $0.names[number] }
    }

    func learn(_ name: QueueName, _ number: Int16) {
        self.state.withLockedValue { state in
            state.numbers[name] = number
            state.names[number] = name
        }
    }
}
