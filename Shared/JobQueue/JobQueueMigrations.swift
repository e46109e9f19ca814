internal import Kernel
public import Postgres

/// The tables and functions of the queue. They come before every service's own migrations, which grant the role
/// `club_bus` to the service.
public enum JobQueueMigrations {
    /// - Throws: `DatabaseError` when the folder of resources is not beside the executable.
    public static func set() throws -> MigrationSet {
        MigrationSet(service: "queue", directory: try ResourceFolder.named("club_JobQueue") + "/Migrations")
    }
}
