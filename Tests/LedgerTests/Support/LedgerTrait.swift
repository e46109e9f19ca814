import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Ledger

extension Trait where Self == DatabaseTrait {
    /// A database with the queue and the ledger in it, as production has it.
    static var ledger: Self {
        .database(JobQueueMigrations.set, LedgerModule.migrations)
    }
}
