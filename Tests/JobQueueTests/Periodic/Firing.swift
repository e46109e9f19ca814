import FoundationEssentials
import Kernel
import Postgres

@testable import JobQueue

/// The statements of periodic jobs as a process says them, with a clock that the test decides.
struct PeriodicProcess {
    let service: ServiceName
    let database: Database
    let jobs: [PeriodicJob]

    /// - Returns: what the database takes for the start of this process.
    @discardableResult
    func declare(at now: Timestamp, started: Timestamp? = nil) async throws -> Timestamp {
        let json = RawJSON(try MessageCoder.text(self.jobs))
        return try await self.database.one(
            "select queue.declare_periodic(\(self.service.text), \(json), \(started), \(now))"
        ).value(at: 0)
    }

    /// - Returns: whether anything was sent.
    @discardableResult
    func fire(at now: Timestamp, on runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        let names = self.jobs.map(\.name.text)
        let queues = try await runner.one(
            "select queues from queue.fire_periodic(\(self.service.text), \(names), 100, \(now))"
        ).value(at: 0, as: [Int16].self)
        return !queues.isEmpty
    }

    @discardableResult
    func fire(at now: Timestamp) async throws -> Bool {
        try await self.fire(at: now, on: self.database)
    }
}

extension World {
    func process(_ service: ServiceName, _ jobs: PeriodicJob...) -> PeriodicProcess {
        PeriodicProcess(service: service, database: self.database(service), jobs: jobs)
    }

    /// For which moments jobs were sent, in the order of sending.
    func moments() async throws -> [String] {
        try await self.owner.query("select headers ->> 'scheduled-for' from queue.job order by id").map {
            try $0.value(at: 0)
        }
    }

    func nextMoment(of job: PeriodicName) async throws -> Timestamp? {
        try await self.owner.one("select next_at from queue.periodic where name = \(job.text)").value(at: 0)
    }
}

/// A moment written in the source.
func moment(_ text: String) throws -> Timestamp {
    guard let moment = Timestamp(text) else { throw Boom() }
    return moment
}
