internal import FoundationEssentials
public import JobQueue
public import Kernel
public import Postgres

extension Database {
    /// The messages of a kind that wait to be handled, in the order of sending. Over a connection of the owner: a service
    /// may not look into the tables. What an encrypted queue holds cannot be read here.
    /// - Throws: `DecodingError` for messages of another form; `DatabaseError`.
    public func enqueued<M: Message>(_ type: M.Type = M.self) async throws -> [(id: JobID, message: M)] {
        try await self.query(TestingStatements.waiting(M.name)).map { row in
            let json = try row.value(at: 1, as: RawJSON.self).text
            return (
                JobID(try row.value(at: 0, as: Int64.self)),
                try JSONDecoder().decode(M.self, from: Data(json.utf8))
            )
        }
    }

    /// Makes sure that a message waits to be handled.
    /// - Parameter condition: which one of its kind.
    /// - Returns: the first such message's job.
    /// - Throws: ``JobQueueTestFailure`` when there is none, with what there is instead.
    @discardableResult
    public func assertEnqueued<M: Message>(
        _ type: M.Type, where condition: (M) -> Bool = { _ in true }
    ) async throws -> JobID {
        let waiting = try await self.enqueued(type)
        if let found = waiting.first(where: { condition($0.message) }) { return found.id }
        throw JobQueueTestFailure(
            description: "No such \(M.name) waits; \(waiting.count) others do: \(waiting.map(\.message))")
    }

    /// Makes sure that no such message waits to be handled.
    /// - Throws: ``JobQueueTestFailure`` when there is one.
    public func refuteEnqueued<M: Message>(
        _ type: M.Type, where condition: (M) -> Bool = { _ in true }
    ) async throws {
        let found = try await self.enqueued(type).filter { condition($0.message) }
        guard found.isEmpty else {
            throw JobQueueTestFailure(description: "\(found.count) \(M.name) wait that should not: \(found)")
        }
    }
}
