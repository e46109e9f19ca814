internal import FoundationEssentials
internal import Postgres

/// What has become of a job that was sent.
public enum JobOutcome<Result: Sendable>: Sendable {
    /// It has not ended.
    case pending
    /// With what its handler kept (``JobContext/keep(_:)``); nil when it kept nothing.
    case completed(Result?)
    /// It was given up; the code is for logs and tests, not for members.
    case dead(code: String)
    /// Somebody cancelled it, or its deadline passed before it began.
    case cancelled(code: String)
}

extension Bus {
    /// What has become of a job of one of this service's own queues, as long as the history is kept.
    /// - Throws: `DatabaseError`; `DecodingError` when the result is of another type; ``JobFailure``, code
    ///   `unreadable-message`, when it was sealed and does not open.
    public func outcome<Result: Decodable & Sendable>(
        of job: JobID, as type: Result.Type = Result.self
    ) async throws -> JobOutcome<Result> {
        let row = try await self.database.first("select state, result, error ->> 'code' from queue.result(\(job.raw))")
        guard let row else { return .pending }
        let code = try row.value(at: 2, as: String?.self) ?? "unknown"
        switch try row.value(at: 0, as: Int16.self) {
        case 2:
            let kept = try row.value(at: 1, as: JSONBytes?.self)?.bytes
            // Ciphertext looks like nothing else that a result could be decoded from.
            let bytes = try kept.map { try self.cipher.open($0, .result(of: job.raw), isEncrypted: true) }
            return .completed(try bytes.map { try JSONDecoder().decode(Result.self, from: Data($0)) })
        case 4: return .dead(code: code)
        default: return .cancelled(code: code)
        }
    }

    /// Ends a job of one of this service's own queues. One that runs is told to stop.
    /// - Throws: `DatabaseError`.
    public func cancel(_ job: JobID, reason: String) async throws -> Cancellation {
        try await QueueAdministration(self.database).cancel(job, reason: reason)
    }
}
