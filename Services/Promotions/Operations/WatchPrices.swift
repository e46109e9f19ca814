import Contracts
import JobQueue
import Kernel
import Postgres

/// Look at the prices of what members like. Sent by promotions to itself.
struct LookAtPrices: Command {
    static let name = "promotions.look-at-prices"
    static let queue: QueueName = "promotions.upkeep"
}

/// Judge the levels of the month before. Sent by promotions to itself.
struct EvaluateLevels: Command {
    static let name = "promotions.evaluate-levels"
    static let queue: QueueName = "promotions.upkeep"
}

/// Tells members of lowered prices of what they like. The price that a member knows is changed in the transaction that
/// sends the notice, so that looking twice tells once.
struct WatchPrices: Sendable {
    private static let chunk = 500

    private let database: Database
    private let bus: Bus
    private let ids: IDGenerator
    private let store = FavouriteStore()

    init(database: Database, bus: Bus, ids: IDGenerator) {
        (self.database, self.bus, self.ids) = (database, bus, ids)
    }

    /// How many members were told.
    func callAsFunction() async throws -> Int {
        var told = 0
        while true {
            let (drops, isLast) = try await self.database.transaction { transaction in
                let (drops, looked) = try await self.store.takeDrops(limit: Self.chunk, in: transaction)
                try await self.bus.send(contentsOf: drops.map { self.notice(of: $0) }, in: transaction)
                return (drops.count, looked < Self.chunk)
            }
            told += drops
            if isLast { return told }
        }
    }

    private func notice(of drop: FavouriteStore.Drop) -> Notify {
        let (before, now) = (drop.before.roubles, drop.now.roubles)
        return Notify(
            id: self.ids.next(), recipient: .member(drop.member), purpose: .reminder, channels: [.push, .email],
            russian: Notify.Text(
                subject: "Цена снизилась", body: "«\(drop.title)» из Избранного: \(now) ₽ вместо \(before) ₽."),
            english: Notify.Text(
                subject: "The price has dropped",
                body: "\(drop.title), one of your favourites: \(now) roubles instead of \(before)."))
    }
}

extension Kopecks {
    /// `99,90`.
    var roubles: String {
        let rest = self.amount % 100
        return "\(self.amount / 100),\(rest < 10 ? "0" : "")\(rest)"
    }
}
