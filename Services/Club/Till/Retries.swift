/// Does something again until it works, with growing pauses, for a limited time.
struct Retries: Sendable {
    /// How long to go on.
    var limit = Duration.seconds(300)
    /// The first pause; each is twice the one before, up to ``longestPause``.
    var firstPause = Duration.milliseconds(50)
    var longestPause = Duration.seconds(2)
    var clock: any Clock<Duration> = ContinuousClock()

    /// - Parameter complaint: what to say when the time is over: "promotions does not answer".
    /// - Throws: ``CommandFailure`` (69) when the time is over; a cancellation and a ``CommandFailure`` of the body at
    ///   once, since neither gets better.
    func run<R>(_ complaint: String, _ body: () async throws -> R) async throws -> R {
        try await self.run(complaint, on: self.clock, body)
    }

    private func run<R, C: Clock<Duration>>(
        _ complaint: String, on clock: C, _ body: () async throws -> R
    ) async throws -> R {
        let deadline = clock.now.advanced(by: self.limit)
        var pause = self.firstPause
        while true {
            do {
                return try await body()
            } catch let error as CommandFailure {
                throw error
            } catch let error as CancellationError {
                throw error
            } catch {
                let wanted = (error as? Unanswered)?.after.map { Duration.seconds($0) } ?? .zero
                guard clock.now.advanced(by: pause) < deadline else {
                    throw CommandFailure(.unavailable, "The system keeps failing: \(complaint).")
                }
                try await clock.sleep(for: max(pause, min(wanted, self.longestPause)))
                pause = min(pause * 2, self.longestPause)
            }
        }
    }
}
