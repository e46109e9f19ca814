import Contracts
import Kernel

/// What the system itself writes, in both languages.
enum SupportTexts {
    static func received(_ ticket: SupportTicket) -> Reason.Wording {
        .init(
            ru: """
                Мы получили ваше обращение № \(ticket.number) и ответим на него. Чтобы что-то добавить, просто ответьте на \
                это письмо.
                """,
            en: """
                We have received your ticket no. \(ticket.number) and will answer it. To add something, just answer this \
                letter.
                """)
    }

    /// The subject of every letter of a ticket.
    static func subject(_ ticket: SupportTicket) -> Reason.Wording {
        .init(ru: "Обращение № \(ticket.number)", en: "Ticket no. \(ticket.number)")
    }

    /// What became of a receipt whose points a member misses.
    static func evidence(_ evidence: ReceiptEvidence) -> Reason.Wording {
        let points = evidence.points?.amount ?? 0
        switch evidence.finding {
        case .credited where evidence.isPosted:
            let lines = evidence.reasons.isEmpty ? "" : "\n\n" + evidence.reasons.joined(separator: "\n")
            return .init(
                ru: "Мы проверили чек: он зачислен на вашу карту и принёс \(points) баллов.\(lines)",
                en: "We have checked the receipt: it is on your card and has earned \(points) points.\(lines)")
        case .credited:
            return .init(
                ru: "Мы проверили чек: он получен, \(points) баллов уже рассчитаны и скоро появятся на счёте.",
                en: "We have checked the receipt: it is here, and its \(points) points will be on your balance soon.")
        case .withoutCard:
            return .init(
                ru: """
                    Мы проверили чек: он пробит без карты. Мы подготовили начисление, его проверит сотрудник поддержки — \
                    ответ придёт сюда.
                    """,
                en: """
                    We have checked the receipt: no card was shown. A correction is prepared, a colleague will check it, \
                    and the answer comes here.
                    """)
        case .foreign:
            return .init(
                ru: "Мы проверили чек: он пробит по другой карте. Сотрудник поддержки посмотрит, что можно сделать.",
                en: "We have checked the receipt: another card was shown. A colleague will see what can be done.")
        case .unknown:
            return .init(
                ru: """
                    Такого чека у нас пока нет. Магазин без связи передаёт чеки до 30 дней. Проверьте, пожалуйста, ФН, ФД и \
                    ФПД; сотрудник поддержки тоже поищет чек.
                    """,
                en: """
                    We do not have this receipt yet. A store without a connection has 30 days to deliver. Please check FN, \
                    FD and FPD; a colleague will look for it too.
                    """)
        }
    }

    static func corrected(_ points: Int64) -> Reason.Wording {
        points > 0
            ? .init(
                ru: "Мы начислили на ваш счёт \(points) баллов.", en: "We have given you \(points) points.")
            : .init(
                ru: "Мы исправили счёт: списано \(-points) баллов.",
                en: "We have corrected your balance: \(-points) points were taken.")
    }
}
