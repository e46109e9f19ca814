import Contracts
import JobQueue
import Kernel
import Postgres

/// Tells donors that their fund has confirmed the money: under which number, and for how much. A donor of a batch is told
/// once, however often they gave: the mark and the command to the notifier commit together.
struct TellDonors: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let ids: IDGenerator
    private let donors = DonorStore()
    private let batches = BatchStore()
    private let campaigns = CampaignStore()

    /// Donors in one transaction.
    private static let chunk = 200

    init(database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
    }

    /// Tells everybody who is to be told. What is broken off goes on where it was.
    func callAsFunction() async throws {
        while try await self.database.transaction({ transaction in try await self.next(in: transaction) }) {}
    }

    /// - Returns: whether there was anybody.
    private func next(in transaction: borrowing Transaction) async throws -> Bool {
        guard let id = try await self.donors.next(in: transaction),
            let batch = try await self.batches.find(id, in: transaction)
        else { return false }
        let shares = try await self.donors.take(of: id, limit: Self.chunk, at: self.clock.now, in: transaction)
        let fund = try await self.campaigns.fund(batch.fund, in: transaction)
        for share in shares {
            let (russian, english) = Self.texts(share, batch, fund: fund?.name ?? batch.fund)
            try await self.bus.send(
                Notify(
                    id: self.ids.next(), recipient: .member(share.member), purpose: .service,
                    channels: [.push, .email, .sms], russian: russian, english: english), in: transaction)
        }
        if shares.count < Self.chunk { try await self.donors.finish(id, at: self.clock.now, in: transaction) }
        return true
    }

    private static func texts(
        _ share: DonorStore.Share, _ batch: Batch, fund: String
    ) -> (russian: Notify.Text, english: Notify.Text) {
        let (roubles, kopecks) = share.kopecks.amount.quotientAndRemainder(dividingBy: 100)
        let sum = kopecks == 0 ? "\(roubles)" : "\(roubles),\(kopecks < 10 ? "0" : "")\(kopecks)"
        let number = batch.acknowledgement ?? ""
        return (
            Notify.Text(
                subject: "Ваше пожертвование дошло",
                body: "Фонд «\(fund)» получил \(sum)\u{A0}₽ от вас и магазина. Подтверждение № \(number)."),
            Notify.Text(
                subject: "Your donation has arrived",
                body: "\(fund) has received ₽\(sum) from you and the shop. Receipt No. \(number).")
        )
    }
}
