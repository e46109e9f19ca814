internal import Kernel
public import Postgres

/// The tables and functions of the queue. They come before every service's own migrations, which grant the role
/// `club_bus` to the service.
public enum JobQueueMigrations {
    /// For the owner to apply.
    public static let set = MigrationSet(service: "queue", target: "JobQueue")
}
