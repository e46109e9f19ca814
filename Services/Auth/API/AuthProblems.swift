import HTTPTypes
import Hummingbird
import Kernel
import Web

extension ProblemKind {
    /// Wrong, lapsed, used, out of attempts or never given: one answer for all of them.
    static let codeRefused = ProblemKind(
        .unprocessableContent, "code-refused", ru: "Код не подошёл или больше не действует",
        en: "The code is wrong or no longer valid")
    /// A quota of codes is used up; which one is not said.
    static let tooManyCodes = ProblemKind(
        .tooManyRequests, "too-many-codes", ru: "Слишком много кодов, попробуйте позже",
        en: "Too many codes, try again later")
    static let resendTooEarly = ProblemKind(
        .tooManyRequests, "resend-too-early", ru: "Отправить код ещё раз пока нельзя",
        en: "The code cannot be sent again yet")
    static let registrationRefused = ProblemKind(
        .unprocessableContent, "registration-refused", ru: "Подтверждение телефона больше не действует",
        en: "The confirmation of the phone is no longer valid")
    static let alreadyMember = ProblemKind(
        .conflict, "already-member", ru: "Этот телефон уже зарегистрирован, войдите по коду",
        en: "This phone is registered already, log in with a code")
    static let consentRequired = ProblemKind(
        .unprocessableContent, "consent-required", ru: "Без согласия с правилами и обработкой данных нельзя",
        en: "The terms and the processing of personal data must be agreed to")
    static let refreshRefused = ProblemKind(
        .unauthorized, "refresh-refused", ru: "Сеанс завершён, войдите снова",
        en: "The session has ended, log in again")
}

extension Problem {
    init(_ refusal: QuotaRefusal, at now: Timestamp) {
        self.init(.tooManyCodes, retryAfter: refusal.until - now)
    }

    init(_ refusal: ResendCode.Refusal, at now: Timestamp) {
        switch refusal {
        case .closed: self.init(ProblemKind.codeRefused)
        case .tooEarly(let until): self.init(.resendTooEarly, retryAfter: until - now)
        case .quota(let refusal): self.init(refusal, at: now)
        }
    }

    init(_ refusal: RegisterMember.Refusal) {
        switch refusal {
        case .ticket: self.init(ProblemKind.registrationRefused)
        case .alreadyMember: self.init(ProblemKind.alreadyMember)
        case .tooYoung: self.init(ProblemKind.tooYoung, at: "/birthday")
        case .card: self.init(ProblemKind.cardRefused, at: "/card")
        case .consentMissing(let purposes):
            self.init(
                .consentRequired,
                violations: purposes.map { purpose in
                    Violation(pointer: "/consents/\(purpose.field)", code: ProblemKind.consentRequired.code)
                })
        }
    }
}

extension ConsentPurpose {
    /// The purpose's name in a registration's body.
    fileprivate var field: String {
        switch self {
        case .terms: "terms"
        case .personalData: "personalData"
        case .marketing: "marketing"
        case .reminders: "reminders"
        case .profiling: "profiling"
        }
    }
}
