internal import Kernel
public import Postgres

/// The tables and functions of the queue. They come before every service's own migrations, which grant the role
/// `club_bus` to the service.
public enum JobQueueMigrations {
    /// Found beside the executable; that the folder is not there is reported by the migrator, which names it.
    public static let set = MigrationSet(
        service: "queue", directory: ((try? ResourceFolder.named("club_JobQueue")) ?? "club_JobQueue") + "/Migrations")
}
