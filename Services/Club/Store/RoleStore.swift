import Kernel
import Postgres

/// The passwords of the services' roles.
struct RoleStore: Sendable {
    /// What the server keeps of a role's password; nil when it has none.
    func verifier(of service: ServiceName, on database: Database) async throws -> String? {
        let row = try await database.first(
            """
            select rolpassword
            from pg_authid
            where rolname = \(service.role)
            """)
        guard let row else { return nil }
        return try row.decode(String?.self)
    }

    /// Gives a role its password. `alter role` takes no parameters, so they reach it as settings of the transaction.
    func set(_ verifier: ScramVerifier, of service: ServiceName, on database: Database) async throws {
        try await database.transaction { transaction in
            try await transaction.execute(
                """
                select set_config('club.role', \(service.role), true),
                    set_config('club.verifier', \(verifier.description), true)
                """)
            try await transaction.execute(
                """
                do $$
                begin
                    execute format(
                        'alter role %I password %L', current_setting('club.role'), current_setting('club.verifier'));
                end $$
                """)
        }
    }
}
