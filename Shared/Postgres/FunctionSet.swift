internal import Kernel

/// The functions of a set, and what the database records of them: one row with the number 0, whose name tells the last
/// migration of the program that made them.
struct FunctionSet: Sendable {
    let set: MigrationSet
    let files: [MigrationSet.File]
    private let checksum: [UInt8]
    private let migrations: Int

    /// How the functions are reported among the migrations that were applied.
    var record: MigrationSet.File {
        MigrationSet.File(number: 0, name: Self.name(migrations: self.migrations), text: "")
    }

    /// Writes down that these functions are there.
    var recording: SQL {
        """
        insert into migration.applied (service, number, name, checksum)
        values (\(self.set.service), 0, \(self.record.name), \(self.checksum))
        on conflict (service, number) do update
        set name = excluded.name, checksum = excluded.checksum, applied_at = clock_timestamp()
        """
    }

    private struct Record {
        let migrations: Int
        let checksum: [UInt8]
        let appliedAt: Timestamp
    }

    private static func name(migrations: Int) -> String { "functions_\(migrations)" }

    /// The functions, when the database has none or others, or the same from before these migrations: the status goes by
    /// their record, and they are made anew beside the tables that changed. Nil when there is nothing to do.
    static func stale(
        of set: MigrationSet, migrations: Int, _ connection: Connection
    ) async throws -> FunctionSet? {
        let files = try set.functions()
        guard !files.isEmpty else { return nil }
        let text = files.map { "-- \($0.fileName)\n\($0.text)" }.joined()
        let checksum = try await connection.one("select sha256(\(Array(text.utf8)))").decode([UInt8].self)
        let record = try await Self.read(set, connection)
        if let record, record.checksum == checksum, record.migrations >= migrations { return nil }
        return FunctionSet(set: set, files: files, checksum: checksum, migrations: migrations)
    }

    /// Functions of a program that knows as many migrations or more are good for this one: it may be the older of two
    /// that run side by side.
    static func status(
        of set: MigrationSet, migrations: Int, _ hasRecords: Bool, _ connection: Connection
    ) async throws -> [MigrationStatus] {
        guard try !set.functions().isEmpty else { return [] }
        let migration = AppliedMigration(
            service: set.service, number: 0, name: Self.name(migrations: migrations))
        let record = hasRecords ? try await Self.read(set, connection) : nil
        guard let record, record.migrations >= migrations else {
            return [MigrationStatus(migration: migration, state: .pending)]
        }
        return [MigrationStatus(migration: migration, state: .applied(at: record.appliedAt))]
    }

    private static func read(_ set: MigrationSet, _ connection: Connection) async throws -> Record? {
        let row = try await connection.first(
            "select name, checksum, applied_at from migration.applied where service = \(set.service) and number = 0")
        guard let row else { return nil }
        let (name, checksum, appliedAt) = try row.decode(String.self, [UInt8].self, Timestamp.self)
        let migrations = name.split(separator: "_").last.flatMap { Int($0) } ?? 0
        return Record(migrations: migrations, checksum: checksum, appliedAt: appliedAt)
    }
}
