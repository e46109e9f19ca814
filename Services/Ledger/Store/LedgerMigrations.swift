internal import Kernel
internal import Postgres

/// The ledger's tables and the functions that keep them.
enum LedgerMigrations {
    static var set: MigrationSet {
        // Where the system does not say where the executable is, the folder is looked for beside the process.
        let folder = (try? ResourceFolder.named("club_Ledger")) ?? "club_Ledger.resources"
        return MigrationSet(service: "ledger", directory: folder + "/Migrations")
    }
}
