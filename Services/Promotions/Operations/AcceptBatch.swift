import Kernel
import Logging

/// Accepts what a till gathered while it was offline. Each operation has its own key and its own answer; none spoils
/// another, whatever happens to it.
struct AcceptBatch: Sendable {
    private let accept: AcceptReceipts

    init(accept: AcceptReceipts) {
        self.accept = accept
    }

    /// One answer for each receipt, in their order.
    func callAsFunction(
        _ receipts: [TillReceipt], from till: Till
    ) async throws -> [Result<AcceptReceipts.Acceptance, ReceiptRefusal>] {
        guard !receipts.isEmpty else { return [] }
        do {
            return try await self.accept(receipts.map { .init(receipt: $0, till: till) })
        } catch  where !Task.isCancelled {
            Logger.current.warning(
                "A batch failed as a whole; its receipts are tried one by one",
                metadata: ["promotions.receipts": "\(receipts.count)", "error": "\(error)"])
        }
        var outcomes: [Result<AcceptReceipts.Acceptance, ReceiptRefusal>] = []
        for receipt in receipts {
            do {
                outcomes += try await self.accept([.init(receipt: receipt, till: till)])
            } catch  where !Task.isCancelled {
                Logger.current.error("A receipt of a batch failed", metadata: ["error": "\(error)"])
                outcomes.append(.failure(.undecided))
            }
        }
        return outcomes
    }
}
