import HTTPTypes
import Hummingbird
import Web

/// What the routes of promotions answer with beside what every service may.
extension ProblemKind {
    static let foreignStore = ProblemKind(
        .forbidden, "foreign-store", ru: "Ключ API другого магазина", en: "The API key belongs to another store")
    static let fromTheFuture = ProblemKind(
        .unprocessableContent, "receipt-from-the-future", ru: "Чек из будущего",
        en: "The receipt is from more than 24 hours in the future")
    static let tooOld = ProblemKind(
        .unprocessableContent, "receipt-too-old", ru: "Чек слишком старый", en: "The receipt is older than 30 days")
    static let unknownStore = ProblemKind(
        .unprocessableContent, "unknown-store", ru: "Неизвестный магазин", en: "No such store")
    static let fiscalConflict = ProblemKind(
        .unprocessableContent, "fiscal-conflict", ru: "Чек с такими реквизитами уже принят с другим содержанием",
        en: "A receipt with this fiscal triple was accepted with other content")
    static let undecided = ProblemKind(
        .serviceUnavailable, "undecided", ru: "Решение ещё не принято, повторите запрос",
        en: "It is not decided yet, repeat the request")

    // Paying with points.
    static let invalidCardToken = ProblemKind(
        .unprocessableContent, "card-token-invalid", ru: "Код карты недействителен, обновите его на экране",
        en: "The card token is not valid, show a fresh one")
    static let cardTokenUsed = ProblemKind(
        .unprocessableContent, "card-token-used", ru: "Код карты уже использован, обновите его на экране",
        en: "The card token was used, show a fresh one")
    static let overLimit = ProblemKind(
        .unprocessableContent, "points-over-limit", ru: "Столько баллов за этот чек списать нельзя",
        en: "The receipt cannot be paid with so many points")
    static let insufficientPoints = ProblemKind(
        .conflict, "insufficient-points", ru: "Недостаточно баллов", en: "Not enough points")
    static let spendingRefused = ProblemKind(
        .conflict, "spending-refused", ru: "Списание баллов отклонено", en: "The payment with points was refused")
    static let alreadyEnded = ProblemKind(
        .conflict, "authorisation-ended", ru: "Списание уже завершено", en: "The authorisation has ended")
    static let overAuthorised = ProblemKind(
        .unprocessableContent, "points-over-authorised", ru: "Больше баллов, чем было зарезервировано",
        en: "More points than were authorised")
}

extension Violation.Code {
    /// The problem that a document has as a whole when this is the first thing wrong with it.
    var kind: ProblemKind {
        let (russian, english) = self.titles
        return ProblemKind(.unprocessableContent, self.rawValue, ru: russian, en: english)
    }

    private var titles: (russian: String, english: String) {
        switch self {
        case .amountOutOfRange: ("Сумма слишком велика", "An amount is too large")
        case .duplicatePosition: ("Номер позиции повторяется", "A position appears twice")
        case .emptyReceipt: ("В чеке нет позиций", "The receipt has no lines")
        case .invalidCard: ("Неверный номер карты", "A card number has 16 digits")
        case .invalidFiscalID: ("Неверные фискальные реквизиты", "The fiscal triple is not valid")
        case .invalidKey: ("Неверный ключ операции", "The key of an operation is not valid")
        case .invalidPoints: ("Неверное количество баллов", "The number of points is not valid")
        case .invalidPosition: ("Неверный номер позиции", "A position is not valid")
        case .invalidStore: ("Неверный номер магазина", "The store is not valid")
        case .invalidTag: ("Неверная метка товара", "A tag is not valid")
        case .invalidText: ("Неверный текст", "A text is not valid")
        case .invalidTime: ("Неверное время", "The time is not valid")
        case .keyReused: ("Ключ уже использован для другого запроса", "The key was used for another request")
        case .negativeAmount: ("Отрицательная сумма", "An amount is negative")
        case .negativeQuantity: ("Отрицательное количество", "A quantity is negative")
        case .quantityOutOfRange: ("Количество слишком велико", "A quantity is too large")
        case .tooManyLines: ("Слишком много позиций", "The receipt has too many lines")
        case .tooManyOperations: ("Слишком много операций", "The batch has too many operations")
        case .totalMismatch: ("Итог не равен сумме позиций", "The total is not the sum of the lines")
        case .unknownCard: ("Неизвестная карта", "No member has this card")
        }
    }
}
