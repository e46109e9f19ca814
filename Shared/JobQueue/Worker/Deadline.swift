/// The body did not end in time and was cancelled.
struct DeadlineExceeded: Error {}

/// Runs the body, cancels it at the deadline, and returns when it has ended.
/// - Throws: `DeadlineExceeded` when the body was cancelled for that reason; otherwise what the body throws.
func withDeadline<R: Sendable>(
    _ deadline: ContinuousClock.Instant, _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try? await ContinuousClock().sleep(until: deadline)
            return nil
        }
        defer { group.cancelAll() }
        if let result = try await group.next(), let result { return result }
        group.cancelAll()
        // The body may still have made it; only its failure was the deadline's doing.
        if let result = try? await group.next(), let result { return result }
        try Task.checkCancellation()
        throw DeadlineExceeded()
    }
}
