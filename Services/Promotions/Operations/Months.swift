import Kernel
import NIOConcurrencyHelpers
import Postgres

/// The months whose partitions are known to be there. Asked for before the receipts' transaction: making a partition
/// locks the parents, which must not be held for as long as a batch takes.
final class Months: Sendable {
    private struct Month: Hashable {
        let year: Int64
        let month: Int64
    }

    private let database: Database
    private let store = ReceiptStore()
    private let known = NIOLockedValueBox<Set<Month>>([])

    init(database: Database) {
        self.database = database
    }

    /// Makes the partitions of the months that these moments lie in, where they are missing.
    func ensure(_ moments: some Sequence<Timestamp>) async throws {
        let known = self.known.withLockedValue { $0 }
        var missing: [Month: Timestamp] = [:]
        for moment in moments {
            let date = CivilDate(daysSince1970: moment.secondsSince1970 / 86_400)
            let month = Month(year: date.year, month: date.month)
            if !known.contains(month) { missing[month] = moment }
        }
        for (month, moment) in missing {
            try await self.store.ensureMonth(of: moment, in: self.database)
            self.known.withLockedValue { _ = $0.insert(month) }
        }
    }
}
