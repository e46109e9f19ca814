import FoundationEssentials
import Host
import Hummingbird
import JobQueue
import Kernel
import NIOCore
import Postgres
import ServiceLifecycle
import TestSupport
import Web

/// A service with one table, one setting, one route, one kind of message, one call and one background task.
struct SampleModule: ServiceModule {
    static let name: ServiceName = "ledger"
    static let migrations = MigrationSet(service: "ledger", directory: SampleFiles.migrations)
    static let settings = [greeting]
    static let greeting = Setting.text("CLUB_LEDGER_GREETING", default: "hello", meaning: "what it says")

    private let resources: ModuleResources
    private let greeting: String

    init(_ resources: ModuleResources) async throws {
        self.resources = resources
        self.greeting = try resources.settings.text(Self.greeting)
        if self.greeting == "impossible" { throw SettingsError("CLUB_LEDGER_GREETING must not be impossible.") }
    }

    var queues: [QueueDeclaration] { [QueueDeclaration(Note.queue)] }

    var handlers: [Handler] {
        [
            .transactional(Note.self) { note, _, transaction in
                try await transaction.execute("insert into ledger.note (text) values (\(note.text))")
            }
        ]
    }

    /// A greeting that is a cron expression says when to remember it.
    var periodicJobs: [PeriodicJob] {
        get throws {
            guard self.greeting.contains("*") else { return [] }
            return [
                PeriodicJob("ledger.remember", try .cron(self.greeting, in: "UTC"), send: Note(text: self.greeting))
            ]
        }
    }

    func addRoutes(to router: Router<ClubRequestContext>) {
        let (resources, greeting) = (self.resources, self.greeting)
        router.get("/greeting") { _, _ in greeting }
        router.get("/notes") { _, _ in
            try await resources.database.query("select text from ledger.note order by text")
                .map { try $0.decode(String.self) }.joined(separator: ",")
        }
        router.post("/notes/:text") { _, context in
            let note = Note(text: context.parameters.get("text") ?? "")
            try await resources.database.transaction { transaction in
                _ = try await resources.bus.send(note, in: transaction)
            }
            return HTTPResponse.Status.accepted
        }
    }
}

/// Remember this.
struct Note: Command {
    static let name = "ledger.note"
    static let queue: QueueName = "ledger.notes"
    var text: String
}

/// The files of the sample, which a real service has among its resources; made once for the process.
enum SampleFiles {
    static let migrations: String = {
        // In the folder of the process's own server, which is deleted with the process.
        let folder = "/tmp/club-test-\(ProcessInfo.processInfo.processIdentifier)/sample"
        let files = [
            "openapi.yaml": "openapi: 3.1.0\n",
            "Migrations/0001_sample.sql": """
            create schema ledger;
            do $$ begin
                create role club_ledger login;
            exception when duplicate_object then null;
            end $$;
            grant club_bus to club_ledger;
            grant usage on schema ledger to club_ledger;
            create table ledger.note (text text not null);
            grant select, insert on ledger.note to club_ledger;
            """,
        ]
        try? FileManager.default.createDirectory(atPath: "\(folder)/Migrations", withIntermediateDirectories: true)
        for (name, text) in files {
            try? text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        return "\(folder)/Migrations"
    }()
}
