internal import Contracts
internal import JobQueue
internal import Kernel

/// Hears of what is to be done in the books: transfers in batches, and calls whose sender waits. Opens accounts.
struct TransferHandlers: Sendable {
    /// What has to do with money must not be skipped. Who waits for a transfer makes a call instead (`MakeTransfer`).
    static let queue = QueueDeclaration(PostTransfer.queue, onDead: .block, gather: .milliseconds(50))

    /// Transfers in one transaction. More would lock their members for longer.
    static let batchLimit = 500

    let makeTransfers: MakeTransfers
    let openAccounts: OpenAccounts

    var all: [Handler] {
        [
            .batch(PostTransfer.self, limit: Self.batchLimit) { jobs, transaction in
                try await self.makeTransfers(jobs.map(\.message.transfer), in: transaction)
            },
            .reply(MakeTransfer.self) { call, _, transaction in
                try await self.makeTransfers.answer(to: call.transfer, in: transaction)
            },
            .reply(OpenPurpose.self) { call, _, transaction in
                try await self.openAccounts(call, in: transaction)
            },
            .reply(ListClearing.self) { call, _, transaction in
                ListClearing.Reply(items: try await ClearingStore().list(call, in: transaction))
            },
        ]
    }
}
