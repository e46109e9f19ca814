import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// What the rehearsals of an upgrade have in common.
enum Rehearsal {
    /// The last migration of the release before.
    static let last = 9

    /// Turns the database of the test into one of the release before: its tables and its functions.
    static func goBack() async throws {
        let test = try TestDatabase.current
        try await test.owner.execute("drop schema queue cascade")
        try await test.owner.execute("delete from migration.applied")
        let files = FileManager.default
        let folder = "/tmp/club-upgrade-\(UUID().uuidString)"
        try files.createDirectory(atPath: folder + "/Migrations", withIntermediateDirectories: true)
        let all = try files.contentsOfDirectory(atPath: JobQueueMigrations.set.directory).sorted()
        for file in all where Int(file.prefix(4)).map({ $0 <= Self.last }) ?? false {
            try files.copyItem(
                atPath: "\(JobQueueMigrations.set.directory)/\(file)", toPath: "\(folder)/Migrations/\(file)")
        }
        let set = MigrationSet(service: "queue", directory: folder + "/Migrations")
        let applied = try await Migrator(reactor: test.reactor, logger: CapturedLogs.logger)
            .migrate([set], on: test.configuration())
        #expect(applied.map(\.number) == Array(1...Self.last))
        try files.removeItem(atPath: folder)
    }

    static func upgrade() async throws {
        let test = try TestDatabase.current
        let applied = try await Migrator(reactor: test.reactor, logger: CapturedLogs.logger)
            .migrate([JobQueueMigrations.set], on: test.configuration())
        #expect(applied.first?.number == Self.last + 1)
        #expect(applied.last?.number == 0, "the functions come with the last migration")
    }
}

/// A command for batches, and one for a queue that is paused.
struct Bulk: Command {
    static let name = "alpha.bulk"
    static let queue: QueueName = "alpha.bulk"
    var number: Int
}

struct Rest: Command {
    static let name = "alpha.rest"
    static let queue: QueueName = "alpha.rest"
    var number: Int
}
