public import Kernel
public import Logging

/// A migration as it stands in the database.
public struct AppliedMigration: Sendable, Hashable {
    public let service: ServiceName
    public let number: Int
    /// The file's name without `.sql`.
    public let name: String
}

/// A migration of the program or of the database, and whether both agree.
public struct MigrationStatus: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case applied(at: Timestamp)
        case pending
        /// The file is not what was applied.
        case changed(at: Timestamp)
        /// The database has it, the program does not: the program is older.
        case unknown(at: Timestamp)
    }

    public let migration: AppliedMigration
    public let state: State
}

/// Brings the schemas of services to the state that the program expects. Several migrators wait for each other.
public struct Migrator: Sendable {
    private let reactor: Reactor
    private let logger: Logger
    /// Of the advisory lock; the letters of "clubmigr".
    private static let lockKey: Int64 = 0x636C_7562_6D69_6772
    /// How long an attempt waits for each lock. Shorter than the server's deadlock_timeout (a second): whoever is in a
    /// deadlock with a migration goes on, because the migration has given way before anybody looks for it.
    private static let lockLimits = (first: Duration.milliseconds(50), last: Duration.milliseconds(800))
    /// How long attempts are made.
    private static let lockPatience = Duration.seconds(120)

    public init(reactor: Reactor, logger: Logger) {
        self.reactor = reactor
        self.logger = logger
    }

    /// Applies what is pending, set after set.
    ///
    /// A transaction that waits for a lock makes everybody wait who comes later. So none waits for long: it gives way,
    /// leaves nothing behind, and is tried again, for two minutes.
    /// - Parameter configuration: of the role that owns the schemas. Its limits on time do not count here.
    /// - Returns: what was applied now.
    /// - Throws: `DatabaseError` (`migration-failed`): a file that is misnamed, missing or changed since it was
    ///   applied, a database that is newer than the program, a statement that failed, or a lock that was not to be had.
    ///   What came before stays applied.
    @discardableResult
    public func migrate(
        _ sets: [MigrationSet], on configuration: DatabaseConfiguration
    ) async throws -> [AppliedMigration] {
        try await self.withOwner(configuration) { connection in
            try await connection.execute("select pg_advisory_lock(\(Self.lockKey))")
            try await self.makeTable(connection)
            var applied: [AppliedMigration] = []
            for set in sets {
                for file in try await self.migrate(set, connection) {
                    applied.append(AppliedMigration(service: set.service, number: file.number, name: file.name))
                    self.logger.info(
                        "Migration applied",
                        metadata: ["migration.service": "\(set.service.text)", "migration.name": "\(file.name)"])
                }
            }
            return applied
        }
    }

    /// Applies what is pending of one set, and its functions.
    private func migrate(_ set: MigrationSet, _ connection: Connection) async throws -> [MigrationSet.File] {
        let (files, checksums) = try await self.load(set, connection)
        let pending = try await self.pending(set, files, checksums, connection)
        let functions = try await FunctionSet.stale(of: set, migrations: files.count, connection)
        // The old functions must never meet the new tables, so they change together.
        let together = functions == nil ? 0 : pending.reversed().prefix { $0.0.isTransactional }.count
        for (file, checksum) in pending.dropLast(together) {
            try await self.apply(file, checksum, of: set, connection)
        }
        if let functions {
            try await self.apply(pending.suffix(together), of: set, with: functions, connection)
        }
        return pending.map(\.0) + (functions.map { [$0.record] } ?? [])
    }

    /// Compares the program's files with the database and changes nothing.
    public func status(
        _ sets: [MigrationSet], on configuration: DatabaseConfiguration
    ) async throws -> [MigrationStatus] {
        try await self.withOwner(configuration) { connection in
            var all: [MigrationStatus] = []
            let exists = try await connection.one("select to_regclass('migration.applied') is not null")
                .decode(Bool.self)
            for set in sets {
                let (files, checksums) = try await self.load(set, connection)
                let records = exists ? try await self.records(set, connection) : []
                all += Self.compare(set, files, checksums, records)
                all += try await FunctionSet.status(of: set, migrations: files.count, exists, connection)
            }
            return all
        }
    }

    // MARK: Steps

    private func withOwner<R>(
        _ configuration: DatabaseConfiguration, _ body: (Connection) async throws -> R
    ) async throws -> R {
        var owner = configuration
        owner.pool.size = 1
        owner.statementTimeout = .zero
        owner.lockTimeout = .zero
        owner.idleInTransactionTimeout = .zero
        let database = Database(owner, reactor: self.reactor, logger: self.logger)
        let result: Result<R, any Error>
        do {
            result = .success(try await database.withConnection(body))
        } catch {
            result = .failure(error)
        }
        // Closing the session is also what releases the advisory lock.
        await database.shutdown()
        return try result.get()
    }

    private func makeTable(_ connection: Connection) async throws {
        try await connection.script(
            """
            set client_min_messages = warning;
            create schema if not exists migration;
            create table if not exists migration.applied (
                service text not null,
                number integer not null,
                name text not null,
                checksum bytea not null,
                applied_at timestamptz not null default clock_timestamp(),
                primary key (service, number)
            );
            -- Each service compares the record with its program before it begins.
            grant usage on schema migration to public;
            grant select on migration.applied to public;
            """)
    }

    /// The checksums are PostgreSQL's SHA-256, so that this target needs no cryptography of its own.
    private func load(
        _ set: MigrationSet, _ connection: Connection
    ) async throws -> (files: [MigrationSet.File], checksums: [[UInt8]]) {
        let files = try set.files()
        let results = try await connection.pipeline(files.map { "select sha256(\(Array($0.text.utf8)))" })
        return (files, try results.map { try $0[0].decode([UInt8].self) })
    }

    private struct Record {
        let number: Int
        let name: String
        let checksum: [UInt8]
        let appliedAt: Timestamp
    }

    private func records(_ set: MigrationSet, _ connection: Connection) async throws -> [Record] {
        let rows = try await connection.query(
            """
            select number, name, checksum, applied_at
            from migration.applied
            where service = \(set.service)
            order by number
            """)
        return try rows.map { row in
            let (number, name, checksum, appliedAt) = try row.decode(
                Int.self, String.self, [UInt8].self, Timestamp.self)
            return Record(number: number, name: name, checksum: checksum, appliedAt: appliedAt)
        }
    }

    private static func compare(
        _ set: MigrationSet, _ files: [MigrationSet.File], _ checksums: [[UInt8]], _ records: [Record]
    ) -> [MigrationStatus] {
        let known = Dictionary(records.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        var all = zip(files, checksums).map { file, checksum in
            let migration = AppliedMigration(service: set.service, number: file.number, name: file.name)
            guard let record = known[file.number] else { return MigrationStatus(migration: migration, state: .pending) }
            let agrees = record.checksum == checksum && record.name == file.name
            return MigrationStatus(
                migration: migration,
                state: agrees ? .applied(at: record.appliedAt) : .changed(at: record.appliedAt))
        }
        for record in records where record.number > files.count {
            let migration = AppliedMigration(service: set.service, number: record.number, name: record.name)
            all.append(MigrationStatus(migration: migration, state: .unknown(at: record.appliedAt)))
        }
        return all
    }

    private func pending(
        _ set: MigrationSet, _ files: [MigrationSet.File], _ checksums: [[UInt8]], _ connection: Connection
    ) async throws -> [(MigrationSet.File, [UInt8])] {
        let status = Self.compare(set, files, checksums, try await self.records(set, connection))
        var seesPending = false
        for entry in status {
            let name = entry.migration.name
            switch entry.state {
            case .changed: throw set.failure("\(name).sql was changed after it had been applied")
            case .unknown: throw set.failure("the database has \(name), which this program does not know: it is older")
            case .applied where seesPending: throw set.failure("\(name).sql was applied before an earlier one")
            case .applied: break
            case .pending: seesPending = true
            }
        }
        return zip(zip(files, checksums), status).filter { $0.1.state == .pending }.map { $0.0 }
    }

    private func apply(
        _ file: MigrationSet.File, _ checksum: [UInt8], of set: MigrationSet, _ connection: Connection
    ) async throws {
        guard file.isTransactional else {
            try await self.attempt(file, of: set) { try await connection.script(file.text) }
            try await connection.execute(self.record(file, checksum, of: set))
            return
        }
        try await self.givingWay(on: connection) { transaction in
            try await self.run(file, of: set, transaction, connection)
            try await transaction.execute(self.record(file, checksum, of: set))
        }
    }

    /// The last files and the functions that fit them, all or nothing.
    private func apply(
        _ files: ArraySlice<(MigrationSet.File, [UInt8])>, of set: MigrationSet, with functions: FunctionSet,
        _ connection: Connection
    ) async throws {
        try await self.givingWay(on: connection) { transaction in
            for (file, checksum) in files {
                try await self.run(file, of: set, transaction, connection)
                try await transaction.execute(self.record(file, checksum, of: set))
            }
            try await self.attempt(functions.record, of: set) {
                try await self.run(functions, transaction, connection)
            }
        }
    }

    private func record(_ file: MigrationSet.File, _ checksum: [UInt8], of set: MigrationSet) -> SQL {
        """
        insert into migration.applied (service, number, name, checksum)
        values (\(set.service), \(file.number)::integer, \(file.name), \(checksum))
        """
    }

    /// A transaction that gives way where it would have to wait for a lock, and comes back a little later, with more
    /// patience each time: in between those get through who waited behind it.
    private func givingWay(
        on connection: Connection, _ body: (borrowing Transaction) async throws -> Void
    ) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: Self.lockPatience)
        var limit = Self.lockLimits.first
        while true {
            do {
                return try await connection.transaction { transaction in
                    let text = "\(limit / .milliseconds(1))ms"
                    try await transaction.execute("select set_config('lock_timeout', \(text), true)")
                    try await body(transaction)
                }
            } catch let error as DatabaseError where Self.isAboutLocks(error) && clock.now < end {
                self.logger.notice(
                    "A migration gives way to the traffic and is tried again", metadata: ["error": "\(error)"])
            }
            try await clock.sleep(for: limit * 4)
            limit = min(limit * 2, Self.lockLimits.last)
        }
    }

    /// A lock that was not to be had in time, or a deadlock that the server has ended.
    private static func isAboutLocks(_ error: DatabaseError) -> Bool {
        ["55P03", "40P01"].contains(error.sqlState)
    }

    private func run(
        _ file: MigrationSet.File, of set: MigrationSet, _ transaction: borrowing Transaction, _ connection: Connection
    ) async throws {
        try await self.attempt(file, of: set) { try await connection.script(file.text) }
        guard connection.condition.value == .inTransaction else {
            throw set.failure("\(file.fileName) ends its transaction")
        }
    }

    private func run(
        _ functions: FunctionSet, _ transaction: borrowing Transaction, _ connection: Connection
    ) async throws {
        for file in functions.files {
            try await self.run(file, of: functions.set, transaction, connection)
        }
        try await transaction.execute(functions.recording)
    }

    /// Names the file and the line of what fails.
    private func attempt(
        _ file: MigrationSet.File, of set: MigrationSet, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as DatabaseError where error.code != .migrationFailed {
            throw self.failure(error, in: file, of: set)
        }
    }

    private func failure(_ error: DatabaseError, in file: MigrationSet.File, of set: MigrationSet) -> DatabaseError {
        var place = file.fileName
        if let position = error.position {
            let line = file.text.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" } + 1
            place += ":\(line)"
        }
        return DatabaseError(
            .migrationFailed, context: "\(set.service.text): \(place)", sqlState: error.sqlState, schema: error.schema,
            table: error.table, column: error.column, constraint: error.constraint, message: error.message,
            detail: error.detail, position: error.position)
    }
}
