internal import Kernel
internal import Logging
internal import Postgres

/// Waits until the database can be reached and has the tables that the program expects.
struct DatabaseWait {
    let sets: [MigrationSet]
    let configuration: DatabaseConfiguration
    let reactor: Reactor
    let logger: Logger

    /// Pauses between two looks, as long as nothing changes.
    private static let firstPause = Duration.milliseconds(250)
    private static let longestPause = Duration.seconds(5)
    /// The same reason is logged again so often.
    private static let reminder = Duration.seconds(60)

    /// What there is to wait for; an operator reads it.
    private enum Obstacle: Equatable {
        case unreachable(String)
        case refused(String)
        case pending(Int)
        case changed(String)
    }

    /// Returns when there is nothing to wait for any more.
    /// - Throws: `CancellationError`
    func wait() async throws {
        let clock = ContinuousClock()
        var pause = Self.firstPause
        var said: (obstacle: Obstacle, at: ContinuousClock.Instant)?
        while let obstacle = try await self.look() {
            if said.map({ $0.obstacle != obstacle || clock.now - $0.at >= Self.reminder }) ?? true {
                self.say(obstacle)
                if said?.obstacle != obstacle { pause = Self.firstPause }
                said = (obstacle, clock.now)
            }
            try await clock.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
        if said != nil { self.logger.info("The database is there") }
    }

    private func look() async throws -> Obstacle? {
        let status: [MigrationStatus]
        do {
            status = try await Migrator(reactor: self.reactor, logger: self.logger).status(
                self.sets, on: self.configuration)
        } catch let error as DatabaseError {
            return error.code == .authenticationFailed ? .refused("\(error)") : .unreachable("\(error)")
        }
        for entry in status {
            if case .changed = entry.state {
                return .changed("\(entry.migration.service.text)/\(entry.migration.name)")
            }
        }
        // What only the database knows is no obstacle: a newer program has migrated it, and this one still runs.
        let pending = status.count { $0.state == .pending }
        return pending == 0 ? nil : .pending(pending)
    }

    private func say(_ obstacle: Obstacle) {
        switch obstacle {
        case .unreachable(let error):
            self.logger.warning("Waiting for the database", metadata: ["error": "\(error)"])
        case .refused(let error):
            // Roles are made by the migrations, so before the first of them this is what everybody sees.
            self.logger.warning(
                "The database does not know the service's role or password: run club migrate",
                metadata: ["role": "\(self.configuration.user ?? "")", "error": "\(error)"])
        case .pending(let count):
            self.logger.warning(
                "Waiting for migrations: run club migrate", metadata: ["migrations.pending": "\(count)"])
        case .changed(let name):
            self.logger.error("A migration is not the one that was applied", metadata: ["migration": "\(name)"])
        }
    }
}
