import Kernel

/// Says what a sale would bring, and writes nothing.
struct QuoteSale: Sendable {
    private let judge: JudgeSales
    private let clock: any WallClock

    init(judge: JudgeSales, clock: any WallClock) {
        (self.judge, self.clock) = (judge, clock)
    }

    func callAsFunction(_ sale: Sale, from till: Till) async throws -> Result<Evaluation, ReceiptRefusal> {
        let judgements = try await self.judge([(sale, till)], at: self.clock.now)
        return judgements[0].map(\.evaluation)
    }
}
