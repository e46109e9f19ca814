import Contracts
import Kernel

/// What a member is told about an exchange.
enum ExchangeNews: Hashable, Sendable {
    /// It waits, and can be taken back by a link.
    case waiting
    case done
    /// The points are back.
    case undone

    /// A wait is a matter of security: whoever did not ask for it must hear of it at once.
    var purpose: Notify.Purpose {
        switch self {
        case .waiting: .security
        case .done, .undone: .service
        }
    }

    func texts(
        of order: ExchangeOrder, target: String, unit: Bilingual, pause: Duration, link: String
    ) -> (russian: Notify.Text, english: Notify.Text) {
        let (points, units, hours) = (order.points.amount, order.units, pause.components.seconds / 3600)
        switch self {
        case .waiting:
            return (
                Notify.Text(
                    subject: "Обмен баллов",
                    body: "Обмен \(points) баллов (\(target)) начнётся через \(hours) ч. Это не вы? Отмените: \(link)"),
                Notify.Text(
                    subject: "Exchange of points",
                    body: "\(points) points (\(target)) will be exchanged in \(hours) hours. Not you? Cancel: \(link)")
            )
        case .done:
            return (
                Notify.Text(
                    subject: "Обмен выполнен", body: "\(target): \(units) \(unit.ru) за \(points) баллов зачислены."),
                Notify.Text(
                    subject: "Exchange done", body: "\(target): \(units) \(unit.en) for \(points) points are credited.")
            )
        case .undone:
            return (
                Notify.Text(
                    subject: "Обмен отменён", body: "\(target): обмен не состоялся, \(points) баллов снова на счёте."),
                Notify.Text(
                    subject: "Exchange undone",
                    body: "\(target): the exchange did not happen, \(points) points are back.")
            )
        }
    }
}
