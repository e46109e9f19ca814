internal import Contracts
internal import JobQueue
internal import Kernel

/// Answers what has been given for a purpose: the counter that charity shows to everybody.
struct PurposeHandlers: Sendable {
    private let store = PurposeStore()

    var all: [Handler] {
        [
            .reply(FetchPurposeTotals.self) { call, _, transaction in
                try await self.store.totals(of: call.purpose, in: transaction)
            }
        ]
    }
}
