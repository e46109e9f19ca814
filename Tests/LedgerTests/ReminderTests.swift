import Contracts
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ReminderTests {
    private func reminders(_ books: Books) throws -> RemindMembersOfExpiry {
        let test = try TestDatabase.current
        let listener = Listener(
            test.configuration(for: "ledger"), reactor: test.reactor, logger: CapturedLogs.logger)
        return RemindMembersOfExpiry(
            database: books.database,
            bus: Bus(service: "ledger", database: books.database, listener: listener, logger: CapturedLogs.logger),
            clock: books.clock)
    }

    /// 30 days to the end of the 9th of April by Moscow's calendar.
    private func begin() async throws -> (Books, [Member.ID]) {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-03-10T12:00:00Z"))))
        let members = (0..<5).map { _ in books.member() }
        for member in members { try await books.earn(40, .promotional, for: member) }
        try await books.earn(3, .promotional, for: members[0])
        return (books, members)
    }

    @Test func `each member is told once for each day of expiry, 30, 7 and 1 days before`() async throws {
        let (books, members) = try await self.begin()
        try await books.spend(40, for: members[4])
        let remind = try self.reminders(books)
        var told: [String: Int] = [:]
        for day in [
            "2026-03-10T12:30:00Z", "2026-03-20T12:00:00Z", "2026-04-01T21:00:00Z", "2026-04-02T20:59:59Z",
            "2026-04-07T20:59:59Z", "2026-04-07T21:00:00Z", "2026-04-08T12:00:00Z",
        ] {
            books.clock.set(to: try #require(Timestamp(day)))
            told[day] = try await remind()
        }
        #expect(
            told == [
                "2026-03-10T12:30:00Z": 4, "2026-03-20T12:00:00Z": 0, "2026-04-01T21:00:00Z": 4,
                "2026-04-02T20:59:59Z": 0, "2026-04-07T20:59:59Z": 0, "2026-04-07T21:00:00Z": 4,
                "2026-04-08T12:00:00Z": 0,
            ])
        #expect(try await books.count("select max(points) from ledger.reminder") == 43)
    }

    @Test func `processes that remind at once tell each member once`() async throws {
        let (books, members) = try await self.begin()
        let remind = try self.reminders(books)
        let told = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await remind() } }
            return try await group.reduce(0, +)
        }
        #expect(told == members.count)
    }
}
