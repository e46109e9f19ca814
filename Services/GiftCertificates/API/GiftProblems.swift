import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Redemption
import Web

/// What the routes of this service answer with beside what every service may.
extension ProblemKind {
    // A gift.
    static let invalidValueOfGift = ProblemKind(
        .unprocessableContent, "invalid-face-value", ru: "Номинал — целое число рублей от 200 до 3000",
        en: "The face value is whole roubles from 200 to 3000")
    static let invalidRecipient = ProblemKind(
        .unprocessableContent, "invalid-recipient", ru: "Адрес получателя не подходит к способу доставки",
        en: "The recipient's address does not fit the way of delivery")
    static let textRefused = ProblemKind(
        .unprocessableContent, "text-refused", ru: "Такой текст на сертификате напечатать нельзя",
        en: "This text cannot be printed on a certificate")
    static let nightHour = ProblemKind(
        .unprocessableContent, "night-hour", ru: "С 22:00 до 8:00 подарки не доставляются, если об этом не попросить",
        en: "Gifts are not delivered between 22:00 and 8:00 unless asked for")
    static let deliveryTime = ProblemKind(
        .unprocessableContent, "delivery-time", ru: "Время доставки — в будущем, не дальше года",
        en: "The delivery time is in the future, within a year")
    static let wrongState = ProblemKind(
        .conflict, "wrong-state", ru: "С сертификатом в этом состоянии так поступить нельзя",
        en: "This cannot be done with the certificate as it stands")
    static let paymentUnderWay = ProblemKind(
        .conflict, "payment-under-way", ru: "Сертификат сейчас оплачивается", en: "The certificate is being paid for")
    static let dayLimit = ProblemKind(
        .conflict, "day-limit", ru: "Не больше 5 сертификатов и 10 000 ₽ в день",
        en: "At most 5 certificates and ₽10,000 a day")
    static let onItsWay = ProblemKind(
        .conflict, "on-its-way", ru: "Подарок уже в пути: адрес можно изменить, если он не дойдёт",
        en: "The gift is on its way: the address can be changed if it does not arrive")
    static let partlySpent = ProblemKind(
        .conflict, "partly-spent", ru: "Вернуть можно только неиспользованный сертификат",
        en: "Only an unspent certificate can be refunded")
    static let samePerson = ProblemKind(
        .forbidden, "same-person", ru: "Одобряет другой сотрудник", en: "Another colleague must approve")
    static let refundDecided = ProblemKind(
        .conflict, "refund-decided", ru: "По возврату уже есть решение или его никто не запрашивал",
        en: "The refund is decided, or nobody has asked for it")
    static let notAPicture = ProblemKind(
        .unprocessableContent, "not-a-picture", ru: "Это не фотография JPEG, PNG или WebP",
        en: "This is no picture in JPEG, PNG or WebP")
    static let photoTooLarge = ProblemKind(
        .contentTooLarge, "photo-too-large", ru: "Фотография больше 10 МБ", en: "The photo has more than 10 MiB")
    static let unavailableHere = ProblemKind(
        .serviceUnavailable, "unavailable-here", ru: "Здесь это сейчас недоступно", en: "Not available here")

    // At the till.
    static let inUse = ProblemKind(
        .conflict, "certificate-in-use", ru: "Сертификат сейчас используется на другой кассе, повторите попытку",
        en: "The certificate is in use at another till, try again")
    static let insufficientMoney = ProblemKind(
        .conflict, "insufficient-money", ru: "На сертификате меньше денег", en: "The certificate has less money")
    static let foreignStore = ProblemKind(
        .forbidden, "foreign-store", ru: "Ключ API другого магазина", en: "The API key belongs to another store")
    static let keyReused = ProblemKind(
        .unprocessableContent, "idempotency-key-reused", ru: "Ключ уже использован для другого запроса",
        en: "The key was used for another request")
    static let alreadyEnded = ProblemKind(
        .conflict, "authorisation-ended", ru: "Списание уже завершено", en: "The authorisation has ended")
    static let overAuthorised = ProblemKind(
        .unprocessableContent, "over-authorised", ru: "Больше, чем было зарезервировано",
        en: "More than was set aside")
}

extension Problem {
    /// - Parameter now: for how long to wait.
    init(_ refusal: GiftRefusal, at now: Timestamp) {
        switch refusal {
        case .unknown: self.init(ProblemKind.notFound)
        case .wrongState(let state): self.init(.wrongState, extensions: ["state": .text(state.rawValue)])
        case .paymentUnderWay: self.init(ProblemKind.paymentUnderWay)
        case .notPaidFor: self.init(ProblemKind.codeNotAsked)
        case .dayLimit: self.init(ProblemKind.dayLimit)
        case .deliveryTime: self.init(.deliveryTime, at: "/delivery/at")
        case .nightHour: self.init(.nightHour, at: "/delivery/at")
        case .onItsWay: self.init(ProblemKind.onItsWay)
        case .tooManyLookUps(let until): self.init(.rateLimited, retryAfter: until - now)
        case .partlySpent: self.init(ProblemKind.partlySpent)
        case .samePerson: self.init(ProblemKind.samePerson)
        case .refundDecided: self.init(ProblemKind.refundDecided)
        case .notAPicture: self.init(ProblemKind.notAPicture)
        case .unavailable: self.init(ProblemKind.unavailableHere)
        }
    }

    init(_ refusal: SpendingRefusal) {
        switch refusal {
        case .unknownCertificate, .unknownAuthorisation: self.init(ProblemKind.notFound)
        case .inUse: self.init(ProblemKind.inUse, retryAfter: .seconds(5))
        case .insufficientMoney(let left):
            self.init(.insufficientMoney, extensions: ["remaining": .integer(left.amount)])
        case .keyReused: self.init(ProblemKind.keyReused)
        case .foreignStore: self.init(.foreignStore, at: "/store")
        case .alreadyEnded(let state): self.init(.alreadyEnded, extensions: ["state": .text(state.rawValue)])
        case .overAuthorised(let amount):
            self.init(.overAuthorised, extensions: ["authorised": .integer(amount.amount)])
        }
    }
}

/// Turns what the operations refuse into problems.
struct Refusing: Sendable {
    let clock: any WallClock

    func callAsFunction<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let refusal as GiftRefusal {
            throw Problem(refusal, at: self.clock.now)
        } catch let refusal as RedemptionRefusal {
            throw Problem(refusal, tooLate: .wrongState)
        } catch let refusal as SpendingRefusal {
            throw Problem(refusal)
        }
    }
}
