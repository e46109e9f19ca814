import Hummingbird
import Kernel
import Photos
import Web

/// What the routes of support answer with beside what every service may.
extension ProblemKind {
    static let unknownReason = ProblemKind(
        .unprocessableContent, "unknown-reason", ru: "Неизвестная причина обращения", en: "No such reason")
    static let formIncomplete = ProblemKind(
        .unprocessableContent, "form-incomplete", ru: "Для этой причины нужны ещё данные",
        en: "The reason asks for more fields")
    static let emailRequired = ProblemKind(
        .unprocessableContent, "email-required", ru: "Укажите почту для ответа",
        en: "An address for the answer is needed")
    static let tooManyTickets = ProblemKind(
        .tooManyRequests, "too-many-tickets", ru: "Слишком много обращений за сутки", en: "Too many tickets in a day")
    static let ticketClosed = ProblemKind(
        .conflict, "ticket-closed", ru: "Обращение закрыто больше 14 дней назад, создайте новое",
        en: "The ticket was resolved more than 14 days ago, make a new one")
    static let wrongState = ProblemKind(
        .conflict, "wrong-state", ru: "Обращение сейчас в другом состоянии", en: "The ticket is in another state")
    static let ticketLeased = ProblemKind(
        .conflict, "ticket-leased", ru: "С обращением работает другой сотрудник",
        en: "A colleague has the ticket in hand")
    static let noMember = ProblemKind(
        .conflict, "no-member", ru: "Обращение не привязано к участнику", en: "The ticket belongs to no member")

    // Photos.
    static let tooManyPhotos = ProblemKind(
        .conflict, "too-many-photos", ru: "К обращению можно приложить не больше пяти фотографий",
        en: "A ticket takes at most five photos")
    static let photoTooLarge = ProblemKind(
        .contentTooLarge, "photo-too-large", ru: "Фотография больше 10 МБ", en: "The photo has more than 10 MB")
    static let photoUnsupported = ProblemKind(
        .unsupportedMediaType, "photo-unsupported", ru: "Нужна фотография JPEG, PNG или WebP",
        en: "Photos are JPEG, PNG or WebP")
    static let photoTooManyPixels = ProblemKind(
        .unprocessableContent, "photo-too-many-pixels", ru: "В фотографии больше 40 мегапикселей",
        en: "The photo has more than 40 megapixels")
    static let photoUnreadable = ProblemKind(
        .unprocessableContent, "photo-unreadable", ru: "Фотография повреждена", en: "The photo cannot be read")
    static let photosUnavailable = ProblemKind(
        .serviceUnavailable, "photos-unavailable", ru: "Фотографии сейчас не принимаются", en: "No photos are taken now"
    )

    // Proof of work.
    static let proofInvalid = ProblemKind(
        .unprocessableContent, "proof-invalid", ru: "Проверка не пройдена, обновите форму",
        en: "The proof of work is not valid, get a new challenge")
    static let proofUsed = ProblemKind(
        .unprocessableContent, "proof-used", ru: "Проверка уже использована, обновите форму",
        en: "The proof of work was used, get a new challenge")

    // Corrections.
    static let samePerson = ProblemKind(
        .conflict, "same-person", ru: "Решение принимает другой сотрудник", en: "Another colleague has to decide")
    static let correctionOpen = ProblemKind(
        .conflict, "correction-open", ru: "По обращению уже есть нерешённая корректировка",
        en: "The ticket has a correction that is not decided yet")
    static let correctionState = ProblemKind(
        .conflict, "correction-state", ru: "Корректировка сейчас в другом состоянии",
        en: "The correction is in another state")
    static let undecided = ProblemKind(
        .serviceUnavailable, "undecided", ru: "Решение ещё не принято, повторите запрос",
        en: "It is not decided yet, repeat the request")

    // Letters.
    static let mailKeyInvalid = ProblemKind(
        .unauthorized, "mail-key-invalid", ru: "Недействительный ключ почты", en: "The mail server's key is not valid")
    static let letterTooLarge = ProblemKind(
        .contentTooLarge, "letter-too-large", ru: "Письмо слишком большое", en: "The letter is too large")
}

extension Problem {
    init(_ refusal: TicketRefusal) {
        switch refusal {
        case .unknown: self.init(ProblemKind.notFound)
        case .leased(let lease):
            self.init(
                ProblemKind.ticketLeased,
                extensions: ["holder": .text(lease.holder.description), "until": .text(lease.until.description)])
        case .wrongState(let state): self.init(ProblemKind.wrongState, extensions: ["state": .text(state.rawValue)])
        case .closed: self.init(ProblemKind.ticketClosed)
        case .tooManyPhotos: self.init(ProblemKind.tooManyPhotos)
        case .tooManyTickets: self.init(ProblemKind.tooManyTickets, retryAfter: .seconds(3600))
        case .noMember: self.init(ProblemKind.noMember)
        }
    }

    init(_ refusal: CorrectionRefusal) {
        switch refusal {
        case .unknown: self.init(ProblemKind.notFound)
        case .samePerson: self.init(ProblemKind.samePerson)
        case .alreadyOpen: self.init(ProblemKind.correctionOpen)
        case .wrongState(let state):
            self.init(ProblemKind.correctionState, extensions: ["state": .text(state.rawValue)])
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }

    init(_ failure: PhotoCleaner.Failure) {
        switch failure {
        case .unreadable: self.init(ProblemKind.photoUnreadable)
        case .busy: self.init(ProblemKind.photosUnavailable, retryAfter: .seconds(2))
        case .notInstalled: self.init(ProblemKind.photosUnavailable, retryAfter: .seconds(3600))
        }
    }
}

/// Runs the work of a route; what the domain refuses becomes a problem.
func answering<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
        return try await work()
    } catch let refusal as TicketRefusal {
        throw Problem(refusal)
    } catch let refusal as CorrectionRefusal {
        throw Problem(refusal)
    } catch let failure as PhotoCleaner.Failure {
        throw Problem(failure)
    }
}
