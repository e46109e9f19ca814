internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// Does something at once and then every `interval`, as long as the service runs.
struct Rounds: Service {
    /// What is done, for the log.
    let name: String
    let interval: Duration
    let logger: Logger
    let round: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    do {
                        try await self.round()
                    } catch let error as DatabaseError {
                        // The next round tries again; a database that is away is told of by those who wait for it.
                        self.logger.warning("\(self.name) failed", metadata: ["error": "\(error)"])
                    } catch let error as SealError {
                        self.logger.error("\(self.name) is impossible", metadata: ["error": "\(error)"])
                    }
                    try await Task.sleep(for: self.interval)
                }
            }
        } catch is CancellationError {
            // Being asked to stop is no failure.
        }
    }
}
