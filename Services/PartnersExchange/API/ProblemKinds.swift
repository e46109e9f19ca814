import HTTPTypes
import Hummingbird
import Web

/// What the routes of partners-exchange answer with beside what every service may.
extension ProblemKind {
    static let unknownOffer = ProblemKind(
        .unprocessableContent, "unknown-offer", ru: "Такого предложения нет", en: "No such offer")
    static let offerClosed = ProblemKind(
        .conflict, "offer-closed", ru: "Предложение не действует", en: "The offer is not open")
    static let wrongAmount = ProblemKind(
        .unprocessableContent, "wrong-amount", ru: "Столько баллов обменять нельзя",
        en: "The offer has no such amount")
    static let soldOut = ProblemKind(.conflict, "sold-out", ru: "Предложение разобрано", en: "Nothing is left of it")
    static let notLinked = ProblemKind(
        .conflict, "not-linked", ru: "Сначала привяжите номер участника программы партнёра",
        en: "The number in the partner's programme is not linked")
    static let cooling = ProblemKind(
        .conflict, "link-cooling", ru: "Номер недавно изменён, обмен пока недоступен",
        en: "The number was changed a short while ago")
    static let linkChanged = ProblemKind(
        .conflict, "link-changed", ru: "Номер изменён, запросите обмен заново",
        en: "The number is not the one of the quote")
    static let wrongNumber = ProblemKind(
        .unprocessableContent, "wrong-number", ru: "Неверный номер", en: "The number is not one of the partner's")
    static let unknownNumber = ProblemKind(
        .unprocessableContent, "unknown-number", ru: "Партнёр не знает такого номера",
        en: "The partner does not know the number")
    static let otherName = ProblemKind(
        .unprocessableContent, "other-name", ru: "Номер записан на другое имя",
        en: "The partner knows the number under another name")
    static let phoneChanged = ProblemKind(
        .forbidden, "phone-changed", ru: "Телефон недавно изменён, обмен пока недоступен",
        en: "The phone was changed a short while ago")
    static let overLimit = ProblemKind(
        .conflict, "over-limit", ru: "Дневной лимит обмена исчерпан", en: "More than may be exchanged in a day")
    static let partnerDown = ProblemKind(
        .serviceUnavailable, "partner-unavailable", ru: "Партнёр временно недоступен, баллы не списаны",
        en: "The partner cannot be reached, no points were taken")

    // The way of an exchange.
    static let linkInvalid = ProblemKind(
        .notFound, "cancel-link-invalid", ru: "Ссылка недействительна", en: "The link is not valid")

    // Partners and colleagues.
    static let signatureInvalid = ProblemKind(
        .unauthorized, "signature-invalid", ru: "Неверная подпись", en: "The signature is not valid")
    static let fileMalformed = ProblemKind(
        .unprocessableContent, "file-malformed", ru: "Файл не разобран", en: "The file cannot be read")
    static let addressNotAllowed = ProblemKind(
        .unprocessableContent, "address-not-allowed", ru: "Адрес не разрешён оператором",
        en: "The operator does not allow this address")
    static let weakSecret = ProblemKind(
        .unprocessableContent, "weak-secret", ru: "Секрет слишком короткий", en: "The secret is too short")
    static let noPool = ProblemKind(
        .conflict, "no-pool", ru: "У предложения нет пула кодов", en: "The offer has no pool of codes")
    static let notRemote = ProblemKind(
        .conflict, "not-remote", ru: "К этому партнёру не обращаются по адресу",
        en: "This partner is not reached by an address")
    static let offerExists = ProblemKind(
        .conflict, "offer-exists", ru: "Такое предложение уже есть", en: "There is an offer of that name")
    static let changePending = ProblemKind(
        .conflict, "change-pending", ru: "Другое изменение уже ждёт решения",
        en: "Another change of it waits for a decision")
    static let changeDecided = ProblemKind(
        .conflict, "change-decided", ru: "Решение уже принято", en: "It is decided already")
    static let changeStale = ProblemKind(
        .conflict, "change-stale", ru: "Предложение изменилось, такое изменение больше невозможно",
        en: "The offer has changed, and this is not possible any more")
    static let itemClosed = ProblemKind(
        .conflict, "work-item-closed", ru: "Вопрос уже закрыт", en: "The work item is closed")
    static let notDecidable = ProblemKind(
        .conflict, "not-decidable", ru: "Этот обмен не ждёт решения", en: "The exchange does not wait for a decision")
    static let samePerson = ProblemKind(
        .forbidden, "same-person", ru: "Нужен другой сотрудник", en: "Another colleague must approve it")
    static let approvedByOther = ProblemKind(
        .conflict, "approved-by-other", ru: "Уже одобрено другим сотрудником",
        en: "Another colleague has approved it")
}
