import Kernel
import Logging
import Postgres
import ServiceLifecycle

/// What auth does by itself now and then: rotates the signing key and deletes what has served its purpose. Any number
/// of processes may do so at once.
struct KeepHouse: Service {
    let database: Database
    let clock: any WallClock
    let rotate: RotateSigningKey
    let retire: RetireTillKeys
    let releaseHolds: ReleaseHolds
    let policy: AuthPolicy
    let logger: Logger

    /// How often it looks. Nothing depends on the hour: peppers and keys say themselves when they are due.
    static let interval = Duration.seconds(600)

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    await self.lookAround()
                    try await Task.sleep(for: Self.interval)
                }
            }
        } catch is CancellationError {}  // being asked to stop is no failure
    }

    /// One round. A database that is away costs this round only.
    private func lookAround() async {
        do {
            try await self()
        } catch {
            self.logger.warning("Housekeeping failed and will be tried again", metadata: ["error": "\(error)"])
        }
    }

    func callAsFunction() async throws {
        try await self.rotate(.whenDue)
        try await self.retire()
        try await self.releaseHolds()
        let now = self.clock.now
        let deleted = try await RetentionStore().purge(
            peppersMadeBefore: CodePeppers.edge(self.policy.challenge, at: now), at: now, on: self.database)
        try await EdgeRetention().purge(at: now, on: self.database)
        self.logger.debug("Housekeeping done", metadata: ["auth.deleted": "\(deleted)"])
    }
}
