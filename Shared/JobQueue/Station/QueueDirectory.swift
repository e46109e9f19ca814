internal import Kernel
internal import NIOConcurrencyHelpers
internal import Postgres

/// A queue as senders and workers know it.
struct QueueEntry: Sendable, Equatable {
    let name: QueueName
    /// Never changes once it is committed.
    let number: Int16
    let isEncrypted: Bool
}

/// The queues that this process has to do with. What an owner may change about them is asked for again after a while.
final class QueueDirectory: Sendable {
    /// How long a sender believes what it knows.
    static let lifetime = Duration.seconds(30)

    private struct State {
        var entries: [QueueName: (entry: QueueEntry, learned: ContinuousClock.Instant)] = [:]
        var names: [Int16: QueueName] = [:]
    }

    private let state = NIOLockedValueBox(State())

    /// A queue that may have been made in this very transaction: it is remembered when that commits.
    func find(_ name: QueueName, in transaction: borrowing Transaction) async throws -> QueueEntry {
        if let fresh = self.fresh(name) { return fresh }
        let entry = try Self.entry(name, try await transaction.one(SendStatements.resolve([name])))
        transaction.afterCommit { self.learn(entry) }
        return entry
    }

    /// A queue, made now if need be.
    func find(_ name: QueueName, on database: Database) async throws -> QueueEntry {
        if let fresh = self.fresh(name) { return fresh }
        let entry = try Self.entry(name, try await database.one(SendStatements.resolve([name])))
        self.learn(entry)
        return entry
    }

    private static func entry(_ name: QueueName, _ row: Row) throws -> QueueEntry {
        QueueEntry(name: name, number: try row.value("id"), isEncrypted: try row.value("is_encrypted"))
    }

    private func fresh(_ name: QueueName) -> QueueEntry? {
        let known = self.state.withLockedValue { $0.entries[name] }
        guard let known, ContinuousClock.now - known.learned < Self.lifetime else { return nil }
        return known.entry
    }

    /// What is known of the queue is not so: the next one who asks asks the database.
    func forget(_ name: QueueName) {
        self.state.withLockedValue { $0.entries[name]?.learned -= Self.lifetime }
    }

    func known(_ name: QueueName) -> Int16? {
        self.state.withLockedValue { $0.entries[name]?.entry.number }
    }

    func name(of number: Int16) -> QueueName? {
        self.state.withLockedValue { $0.names[number] }
    }

    /// One of this process's own queues, or one that it has sent to.
    func entry(of number: Int16) -> QueueEntry? {
        self.state.withLockedValue { state in
            state.names[number].flatMap { state.entries[$0]?.entry }
        }
    }

    func learn(_ entry: QueueEntry) {
        self.state.withLockedValue { state in
            state.entries[entry.name] = (entry, .now)
            state.names[entry.number] = entry.name
        }
    }
}
