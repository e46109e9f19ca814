import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.database()) struct MigratorTests {
    /// A folder with these files, gone after the body.
    private func withFolder(
        _ files: [String: String], _ body: (MigrationSet, _ folder: String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrations-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files { try self.write(text, to: name, in: folder) }
        try await body(MigrationSet(service: "ledger", directory: folder), folder)
    }

    private func write(_ text: String, to name: String, in folder: String) throws {
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
    }

    private func migrate(_ sets: MigrationSet...) async throws -> [String] {
        let current = try TestDatabase.current
        return try await Migrator(reactor: current.reactor, logger: CapturedLogs.logger)
            .migrate(sets, on: current.configuration()).map(\.name)
    }

    private func status(_ sets: MigrationSet...) async throws -> [MigrationStatus] {
        let current = try TestDatabase.current
        return try await Migrator(reactor: current.reactor, logger: CapturedLogs.logger)
            .status(sets, on: current.configuration())
    }

    private func count(_ table: SQL) async throws -> Int {
        try await TestDatabase.current.owner.one("select count(*) from \(fragment: table)").decode(Int.self)
    }

    @Test func `pending files are applied in order, once`() async throws {
        let files = [
            "0001_table.sql": "create table t (id int);\ninsert into t values (1);",
            "0002_function.sql": """
            -- A body in dollar quotes; with semicolons.
            create function f() returns int language plpgsql as $body$
            begin
                insert into t values (2); -- one
                return 1;
            end
            $body$;
            select f();
            """,
            "notes.txt": "no migration",
        ]
        try await self.withFolder(files) { set, folder in
            #expect(try await self.status(set).map(\.state) == [.pending, .pending])
            #expect(try await self.migrate(set) == ["0001_table", "0002_function"])
            #expect(try await self.migrate(set) == [])
            #expect(try await self.count("t") == 2)
            try self.write("insert into t values (3)", to: "0003_more.sql", in: folder)
            #expect(try await self.migrate(set) == ["0003_more"])
            #expect(try await self.count("t") == 3)
            let states = try await self.status(set).map(\.state)
            #expect(states.count == 3 && states.allSatisfy { if case .applied = $0 { true } else { false } })
        }
    }

    @Test func `services have their own numbers`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a ()"]) { first, _ in
            try await self.withFolder(["0001_b.sql": "create table b ()"]) { second, folder in
                let other = MigrationSet(service: "auth", directory: folder)
                let applied = try await self.migrate(first, other)
                #expect(applied == ["0001_a", "0001_b"])
            }
        }
    }

    @Test func `a file that got another name after it had been applied stops everything`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a ()"]) { set, folder in
            _ = try await self.migrate(set)
            try FileManager.default.moveItem(atPath: folder + "/0001_a.sql", toPath: folder + "/0001_b.sql")
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("0001_b.sql was changed"))
        }
    }

    @Test func `a record without the ones before it stops everything`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a ()", "0002_b.sql": "create table b ()"]) { set, _ in
            _ = try await self.migrate(set)
            let owner = try TestDatabase.current.owner
            try await owner.execute("delete from migration.applied where number = 1")
            try await owner.execute("drop table a")
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("0002_b.sql was applied before an earlier"))
            #expect(try await owner.one("select to_regclass('a') is null").decode(Bool.self))
        }
    }

    @Test func `a file that was changed after it had been applied stops everything`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a ()"]) { set, folder in
            _ = try await self.migrate(set)
            try self.write("create table a (id int)", to: "0001_a.sql", in: folder)
            try self.write("create table b ()", to: "0002_b.sql", in: folder)
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("0001_a.sql was changed"))
            #expect(try await self.status(set).map(\.migration.name) == ["0001_a", "0002_b"])
            guard case .changed = try await self.status(set)[0].state else {
                return #expect(Bool(false), "not changed")
            }
        }
    }

    @Test(arguments: [
        ["0001_a.sql", "0003_c.sql"], ["0002_b.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"], ["0001.sql"],
        ["0000_a.sql"], ["abcd_a.sql"],
    ])
    func `gaps, doubles and wrong names are refused before anything runs`(names: [String]) async throws {
        let files = Dictionary(uniqueKeysWithValues: names.map { ($0, "create table gap ()") })
        try await self.withFolder(files) { set, _ in
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed)
            #expect(try await TestDatabase.current.owner.one("select to_regclass('gap') is null").decode(Bool.self))
        }
    }

    @Test func `a folder that is not there is named`() async throws {
        let error = try await databaseError {
            _ = try await self.migrate(MigrationSet(service: "ledger", directory: "/nowhere/at/all"))
        }
        #expect("\(error)".contains("/nowhere/at/all"))
    }

    @Test func `a database newer than the program is reported`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a ()", "0002_b.sql": "create table b ()"]) {
            set, folder in
            _ = try await self.migrate(set)
            try FileManager.default.removeItem(atPath: folder + "/0002_b.sql")
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("0002_b"))
            guard case .unknown = try await self.status(set)[1].state else {
                return #expect(Bool(false), "not unknown")
            }
        }
    }

    @Test func `a failure leaves nothing of its file, keeps those before, and says where it is`() async throws {
        let files = [
            "0001_a.sql": "create table a ();",
            "0002_b.sql": "create table b ();\n-- комментарий\ncreate table c (id nonsense);",
            "0003_c.sql": "create table d ();",
        ]
        try await self.withFolder(files) { set, folder in
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && error.sqlState == "42704")
            #expect("\(error)".contains("ledger: 0002_b.sql:3"))
            let row = try await TestDatabase.current.owner.one(
                "select to_regclass('a') is null, to_regclass('b') is null, to_regclass('d') is null")
            #expect(try row.decode(Bool.self, Bool.self, Bool.self) == (false, true, true))
            try self.write("create table b ();", to: "0002_b.sql", in: folder)
            #expect(try await self.migrate(set) == ["0002_b", "0003_c"])
        }
    }

    @Test func `a file that ends its own transaction is refused`() async throws {
        try await self.withFolder(["0001_a.sql": "create table a (); commit;"]) { set, _ in
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("ends its transaction"))
        }
    }

    @Test func `a file marked so runs outside of a transaction`() async throws {
        let files = [
            "0001_a.sql": "create table a (id int);",
            "0002_b.sql": "-- no-transaction\ncreate index concurrently if not exists a_id on a (id);",
        ]
        try await self.withFolder(files) { set, _ in
            let (first, second) = (try await self.migrate(set), try await self.migrate(set))
            #expect(first == ["0001_a", "0002_b"] && second == [])
        }
        try await self.withFolder(["0001_a.sql": "create index concurrently x on pg_class (oid);"]) { set, _ in
            let other = MigrationSet(service: "auth", directory: set.directory)
            let error = try await databaseError { try await self.migrate(other) }
            #expect(error.sqlState == "25001")
        }
    }

    @Test func `migrators that come at the same time wait for each other`() async throws {
        let files = Dictionary(
            uniqueKeysWithValues: (1...5).map { number in
                ("000\(number)_step.sql", "create table step_\(number) (); select pg_sleep(0.01);")
            })
        try await self.withFolder(files) { set, _ in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<6 { group.addTask { try await self.migrate(set) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == files.keys.map { String($0.dropLast(4)) }.sorted(), "each was applied once")
        }
    }

    @Test func `no limit of time of the configuration ends a migration`() async throws {
        try await self.withFolder(["0001_a.sql": "select pg_sleep(0.2);"]) { set, _ in
            let current = try TestDatabase.current
            var configuration = current.configuration()
            configuration.statementTimeout = .milliseconds(20)
            let applied = try await Migrator(reactor: current.reactor, logger: CapturedLogs.logger)
                .migrate([set], on: configuration)
            #expect(applied.count == 1)
        }
    }

    /// Whoever waits for a lock stands in the way of all who come after.
    @Test func `a migration that does not get its lock lets others pass, and is tried again`() async throws {
        let owner = try TestDatabase.current.owner
        try await owner.execute("create table busy (id int)")
        try await self.withFolder(["0001_a.sql": "alter table busy add column note text;"]) { set, _ in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                try await owner.transaction { transaction in
                    try await transaction.execute("insert into busy values (1)")
                    group.addTask { try await self.migrate(set) }
                    try await eventually("the migration waits for the table", every: .milliseconds(2)) {
                        try await self.count("pg_locks where relation = 'busy'::regclass and not granted") > 0
                    }
                    try await owner.transaction { other in
                        try await other.execute("set local lock_timeout = '20s'")
                        try await other.execute("insert into busy values (2)")
                    }
                }
                return try await group.next() ?? []
            }
            #expect(applied == ["0001_a"])
            #expect(try await self.count("busy where note is null") == 2)
        }
    }

    /// A set with functions, which lie beside the folder of the migrations.
    private func withFunctions(
        _ migrations: [String: String], _ function: String,
        _ body: (MigrationSet, _ folder: String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "set-\(UUID().uuidString)").path
        for name in ["Migrations", "Functions"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in migrations { try self.write(text, to: name, in: "\(folder)/Migrations") }
        try self.write(function, to: "10_all.sql", in: "\(folder)/Functions")
        try await body(MigrationSet(service: "ledger", directory: folder + "/Migrations"), folder)
    }

    @Test func `several migrations and the functions that fit them come together, or not at all`() async throws {
        let first = ["0001_a.sql": "create table a (id int);"]
        let more = ["0002_b.sql": "alter table a add column b int;", "0003_c.sql": "alter table a add column c int;"]
        try await self.withFunctions(first, "create or replace function f() returns int return 1;") { set, folder in
            #expect(try await self.migrate(set) == ["0001_a", "functions_1"])
            for (name, text) in more { try self.write(text, to: name, in: folder + "/Migrations") }
            try self.write(
                "create or replace function f() returns int return nonsense;", to: "10_all.sql",
                in: folder + "/Functions")
            let error = try await databaseError { _ = try await self.migrate(set) }
            #expect(error.code == .migrationFailed && "\(error)".contains("10_all.sql:1"))
            let columns: SQL = "pg_attribute where attrelid = 'a'::regclass and attnum > 0 and not attisdropped"
            #expect(try await self.count(columns) == 1, "the old function has its old table")
            try self.write(
                "create or replace function f() returns int return (select count(c) from a);", to: "10_all.sql",
                in: folder + "/Functions")
            #expect(try await self.migrate(set) == ["0002_b", "0003_c", "functions_3"])
        }
    }

    @Test func `a migration beside functions that stay the same leaves nothing pending`() async throws {
        let first = ["0001_a.sql": "create table a (id int);"]
        try await self.withFunctions(first, "create or replace function f() returns int return 1;") { set, folder in
            #expect(try await self.migrate(set) == ["0001_a", "functions_1"])
            try self.write("create table b (id int);", to: "0002_b.sql", in: folder + "/Migrations")
            #expect(try await self.migrate(set) == ["0002_b", "functions_2"])
            #expect(try await self.migrate(set) == [])
            let states = try await self.status(set).map(\.state)
            #expect(states.count == 3 && !states.contains(.pending))
        }
    }
}
