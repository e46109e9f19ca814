import Contracts
import JobQueue
import Kernel
import Postgres

/// Tells members of the points that a purchase brought, by push: whoever has no device with the club's application sees them
/// in the cabinet. Of points, so nobody is asked for a consent; a push hours later would only puzzle, so it is dropped then.
struct TellOfPoints: Sendable {
    let bus: Bus
    let ids: IDGenerator

    private static let patience = Duration.seconds(6 * 3600)

    func callAsFunction(_ news: [PointsEarned], in transaction: borrowing Transaction) async throws {
        let earned = news.filter { $0.points.amount > 0 }
        let reachable = try await DeviceStore().owners(among: earned.map(\.member), on: transaction)
        let notices = earned.filter { reachable.contains($0.member) }.map(self.notice)
        guard !notices.isEmpty else { return }
        try await self.bus.send(contentsOf: notices, in: transaction)
    }

    private func notice(of news: PointsEarned) -> Notify {
        Notify(
            id: self.ids.next(), recipient: .member(news.member), purpose: .service, channels: [.push],
            russian: Notify.Text(subject: "Баллы за покупку", body: "Начислено баллов: \(news.points.amount)."),
            english: Notify.Text(subject: "Points for your purchase", body: "Points credited: \(news.points.amount)."),
            expiresAt: news.recordedAt + Self.patience)
    }
}
