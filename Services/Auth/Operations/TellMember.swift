import Contracts
import JobQueue
import Kernel
import Postgres

/// Tells a member or a phone what auth has to say, through the one way to tell people something.
struct TellMember: Sendable {
    let bus: Bus
    let ids: IDGenerator

    /// Something happened to the security of the account: told at once, in the transaction in which it happens.
    func security(
        _ recipient: Notify.Recipient, _ message: SecurityMessage, in transaction: borrowing Transaction
    ) async throws {
        try await self.bus.send(
            Notify(
                id: self.ids.next(), recipient: recipient, purpose: .security, channels: [.push, .sms, .email],
                russian: message.russian, english: message.english),
            in: transaction)
    }

    /// What somebody asked for and waits for by e-mail.
    func mail(
        _ recipient: Notify.Recipient, russian: Notify.Text, english: Notify.Text, expiresAt: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await self.bus.send(
            Notify(
                id: self.ids.next(), recipient: recipient, purpose: .service, channels: [.email], russian: russian,
                english: english, expiresAt: expiresAt),
            in: transaction)
    }

    /// What somebody must know by SMS.
    func phone(
        _ phone: PhoneNumber, russian: Notify.Text, english: Notify.Text, expiresAt: Timestamp?,
        in transaction: borrowing Transaction
    ) async throws {
        try await self.bus.send(
            Notify(
                id: self.ids.next(), recipient: .phone(phone), purpose: .service, channels: [.sms], russian: russian,
                english: english, expiresAt: expiresAt),
            in: transaction)
    }
}

/// What a member is told of the security of their account.
enum SecurityMessage: Hashable, Sendable {
    /// A refresh token was used twice: somebody holds a copy.
    case sessionStolen
    case phoneChanged
    case emailChanged
    case cardReplaced
    /// A printed card was added.
    case cardAdded
    /// Colleagues are asked to change the phone: told to the old one and to the e-mail.
    case phoneRecoveryAsked
    /// They have changed it: told to the new one.
    case phoneRecovered
    case spendingUnlocked
    case erased

    var russian: Notify.Text {
        let body =
            switch self {
            case .sessionStolen: "Вход на одном из устройств завершён: его ключом воспользовались дважды."
            case .phoneChanged: "Номер телефона изменён. Если это не вы, звоните 8 800 200-95-55."
            case .emailChanged: "Адрес почты изменён. Если это не вы, звоните 8 800 200-95-55."
            case .cardReplaced: "Выпущена новая карта, прежняя больше не действует."
            case .cardAdded: "К вашему счёту добавлена карта. Если это не вы, звоните 8 800 200-95-55."
            case .phoneRecoveryAsked:
                "Поступила просьба сменить телефон вашего счёта. Если это не вы, сразу звоните 8 800 200-95-55."
            case .phoneRecovered: "Теперь это телефон вашего счёта. Баллы можно будет тратить через трое суток."
            case .spendingUnlocked: "Запрет трат снят. Если это не вы, звоните 8 800 200-95-55."
            case .erased: "Ваши данные в клубе удалены."
            }
        return Notify.Text(subject: "Безопасность", body: body)
    }

    var english: Notify.Text {
        let body =
            switch self {
            case .sessionStolen: "A device was logged out: its key was used twice."
            case .phoneChanged: "The phone was changed. Not you? Call 8 800 200-95-55."
            case .emailChanged: "The e-mail was changed. Not you? Call 8 800 200-95-55."
            case .cardReplaced: "A new card was issued; the one before is no longer valid."
            case .cardAdded: "A card was added to your account. Not you? Call 8 800 200-95-55."
            case .phoneRecoveryAsked:
                "We were asked to change the phone of your account. Not you? Call 8 800 200-95-55 at once."
            case .phoneRecovered: "This is now the phone of your account. Points can be spent again in three days."
            case .spendingUnlocked: "Spending was unlocked. Not you? Call 8 800 200-95-55."
            case .erased: "Your data in the club is erased."
            }
        return Notify.Text(subject: "Security", body: body)
    }
}
