import Host
import JobQueue
import Kernel
import Logging
import Postgres

/// Brings a database to what the services of this program expect: schemas, roles, and the roles' passwords.
struct SystemSetup: Sendable {
    let secrets: SystemSecrets
    let reactor: Reactor
    let logger: Logger

    /// The queue comes first: each service's first migration grants its role the right to use it.
    static var migrations: [MigrationSet] {
        [JobQueueMigrations.set] + ServicePlan.modules.map { $0.migrations }
    }

    /// The name of the secret with a role's password.
    static func passwordName(of service: ServiceName) -> String { "\(service.role).password" }

    /// - Parameter owner: the role that owns the schemas and may make roles.
    /// - Returns: the migrations that were applied now.
    func callAsFunction(_ owner: DatabaseConfiguration) async throws -> [AppliedMigration] {
        let applied = try await Migrator(reactor: self.reactor, logger: self.logger)
            .migrate(Self.migrations, on: owner)
        let database = Database(owner, reactor: self.reactor, logger: self.logger)
        let result: Result<Void, any Error>
        do {
            result = .success(try await self.setPasswords(on: database))
        } catch {
            result = .failure(error)
        }
        await database.shutdown()
        try result.get()
        return applied
    }

    private func setPasswords(on database: Database) async throws {
        let roles = RoleStore()
        for service in ServicePlan.modules.map({ $0.name }) {
            let password = try self.secrets.readOrMake(Self.passwordName(of: service), bytes: 32)
            if let verifier = try await roles.verifier(of: service, on: database),
                ScramVerifier.matches(verifier, password: password)
            {
                continue
            }
            let verifier = ScramVerifier(password: password, salt: RandomBytes.system.next(16))
            try await roles.set(verifier, of: service, on: database)
        }
    }
}
