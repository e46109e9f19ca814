public import Kernel
internal import NIOConcurrencyHelpers
public import Postgres

/// Sending that may be repeated: a commit whose answer was lost on the way may have happened or not.
///
/// ```swift
/// let id = try await bus.makeJobID()
/// try await retry {
///     try await database.transaction { try await bus.send(command, id: id, in: $0) }
/// }
/// ```
extension Bus {
    /// The number of a job that will be sent within the hour.
    /// - Throws: `DatabaseError`.
    public func makeJobID() async throws -> JobID {
        while true {
            if let id = self.numbers.withLockedValue({ $0.next(at: .now) }) { return id }
            let asked = ContinuousClock.now
            let row = try await self.database.one(SendStatements.leaseNumbers())
            let lease = NumberLease(first: try row.value(at: 0), milliseconds: try row.value(at: 1), leased: asked)
            self.numbers.withLockedValue { $0 = lease }
        }
    }

    /// Sends a command under a number that was made before. When a job of that number is there already, because an
    /// earlier transaction with the same command was committed after all, nothing happens: the transaction goes on, and
    /// the job exists once. Two that try at the same time wait for each other.
    ///
    /// The other effects of the transaction need a protection of their own against being done twice.
    /// - Throws: `DatabaseError`, as a rule by the transaction: with the SQLSTATE `QL007` when the job of that number is
    ///   of another kind or queue, with `QL005` when the number is older than an hour and no job has it;
    ///   ``EncryptionError``.
    public func send<C: Command>(
        _ command: C, id: JobID, in transaction: borrowing Transaction, _ options: SendOptions = SendOptions()
    ) async throws {
        precondition(options.unique == nil, "a job with a name of its own needs no number")
        let queue = try await self.directory.find(C.queue, in: transaction)
        try await self.middleware.send([command], to: C.queue) {
            let payload = try self.cipher.payload(command, for: queue)
            transaction.last(SendStatements.resend(queue.number, payload, options, .current, id: id))
            self.ringAfterCommit(queue, options, in: transaction)
        }
    }
}
