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

    static let paymentMismatch = ProblemKind(
        .unprocessableContent, "payment-mismatch", ru: "Списание баллов не относится к этому чеку",
        en: "A payment with points does not belong to the receipt")

    // Goods that come back.
    static let unknownLine = ProblemKind(
        .unprocessableContent, "unknown-line", ru: "В чеке нет такой позиции", en: "The receipt has no such line")
    static let returnExceedsLine = ProblemKind(
        .unprocessableContent, "return-exceeds-line", ru: "Возвращено больше, чем осталось от позиции",
        en: "More comes back than is left of the line")
    static let unknownSale = ProblemKind(
        .unprocessableContent, "unknown-sale", ru: "Чек продажи так и не поступил",
        en: "The receipt of the sale has never come")
    static let nothingReturned = ProblemKind(
        .unprocessableContent, "nothing-returned", ru: "Возвращённое количество равно нулю",
        en: "The quantity that comes back is zero")

    /// How a return is refused that was refused when its sale was there.
    static func ofReturn(_ code: String) -> ProblemKind? {
        [Self.unknownLine, .returnExceedsLine, .nothingReturned, .unknownSale].first { $0.code == code }
    }

    // Coupons and stickers.
    static let couponsSoldOut = ProblemKind(
        .conflict, "coupons-sold-out", ru: "Купоны закончились", en: "All coupons are taken")
    static let couponLimit = ProblemKind(
        .conflict, "coupon-limit", ru: "У вас уже есть такой купон", en: "You have as many of these coupons as may be")
    static let couponOver = ProblemKind(
        .conflict, "coupon-over", ru: "Срок действия купона истёк", en: "The coupon's time is over")
    static let couponUsed = ProblemKind(
        .conflict, "coupon-used", ru: "Купон уже использован", en: "The coupon is used")
    static let couponTokenInvalid = ProblemKind(
        .unprocessableContent, "coupon-token-invalid", ru: "Код купона недействителен, обновите его на экране",
        en: "The coupon's code is not valid, show a fresh one")
    static let couponTokenExpired = ProblemKind(
        .unprocessableContent, "coupon-token-expired", ru: "Код купона устарел, обновите его на экране",
        en: "The coupon's code has run out, show a fresh one")
    static let couponTokenUsed = ProblemKind(
        .conflict, "coupon-token-used", ru: "Код купона уже предъявлен", en: "The coupon's code was shown before")
    static let insufficientStickers = ProblemKind(
        .conflict, "insufficient-stickers", ru: "Недостаточно наклеек", en: "Not enough stickers")

    // Favourites and lists.
    static let favouritesChosen = ProblemKind(
        .conflict, "favourites-chosen", ru: "Любимые категории на этот месяц уже выбраны",
        en: "The favourite categories of the month are chosen")
    static let tooManyFavourites = ProblemKind(
        .unprocessableContent, "too-many-favourites", ru: "Слишком много категорий для вашего уровня",
        en: "More categories than the level has")
    static let unknownCategory = ProblemKind(
        .unprocessableContent, "unknown-category", ru: "Неизвестная категория", en: "No such category")
    static let unknownProduct = ProblemKind(
        .notFound, "unknown-product", ru: "Неизвестный товар", en: "No such product")
    static let wrongMonth = ProblemKind(
        .unprocessableContent, "wrong-month", ru: "Выбрать можно на этот или следующий месяц",
        en: "Only this month and the next can be chosen for")
    static let selectionNotOpen = ProblemKind(
        .unprocessableContent, "selection-not-open", ru: "Выбор на следующий месяц откроется 20 числа",
        en: "The next month can be chosen for from the 20th")
    static let listFull = ProblemKind(
        .unprocessableContent, "list-full", ru: "В списке слишком много товаров", en: "The list has too many items")

    // What colleagues do.
    static let rulesetDefect = ProblemKind(
        .unprocessableContent, "ruleset-defect", ru: "Набор правил содержит ошибку", en: "The ruleset has a defect")
    static let wrongState = ProblemKind(
        .conflict, "wrong-state", ru: "В этом состоянии действие невозможно", en: "Not possible in this state")
    static let samePerson = ProblemKind(
        .forbidden, "same-person", ru: "Решать должен другой сотрудник", en: "Somebody else must decide")
    static let budgetLowered = ProblemKind(
        .conflict, "budget-lowered", ru: "Бюджет нельзя уменьшить", en: "A budget cannot become smaller")
    static let codeTaken = ProblemKind(
        .conflict, "code-taken", ru: "Код уже занят", en: "The code is taken")

    // Paying with points.
    static let spendingLocked = ProblemKind(
        .conflict, "spending-locked", ru: "Владелец карты запретил списание баллов",
        en: "The card's owner has locked spending")
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
        case .invalidOperation: ("Неверная операция", "An operation is a receipt or a return")
        case .invalidPoints: ("Неверное количество баллов", "The number of points is not valid")
        case .invalidPosition: ("Неверный номер позиции", "A position is not valid")
        case .invalidReference: ("Неверная ссылка", "A reference is not valid")
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
