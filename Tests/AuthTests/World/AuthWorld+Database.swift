import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

extension Trait where Self == DatabaseTrait {
    /// A database of its own with what auth needs.
    static var authDatabase: Self {
        .database(JobQueueMigrations.set, AuthModule.migrations)
    }
}

extension Bus {
    /// Sends and publishes; nothing is taken off its queues, since no worker runs.
    static func forTests(_ test: TestDatabase) throws -> Bus {
        Bus(
            service: "auth", database: test.database(for: "auth"),
            listener: Listener(test.configuration(for: "auth"), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: BusyMachine.callPatience,
            keyring: try Keyring([("tests", Secret([UInt8](repeating: 0x33, count: 32)))]), logger: CapturedLogs.logger)
    }
}

extension AuthWorld {
    /// Lets a queue of another service hear of an event, as that service's start would.
    func subscribe(_ queue: String, to event: String) async throws {
        try await self.owner.execute(
            "select queue.subscribe((select id from queue.resolve(array[\(queue)])), array[\(event)])")
    }
}
