import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Web

extension ProblemKind {
    static let spendingLocked = ProblemKind(
        .conflict, "spending-locked", ru: "Вы запретили трату баллов", en: "You have locked spending")
    static let notActive = ProblemKind(
        .conflict, "not-active", ru: "Участие ещё не подтверждено", en: "The membership is not confirmed yet")
    static let noPhone = ProblemKind(
        .conflict, "no-phone", ru: "Нет телефона, на который можно отправить код",
        en: "There is no phone to send a code to")
    static let phoneTaken = ProblemKind(
        .conflict, "phone-taken", ru: "Этот телефон принадлежит другому участнику",
        en: "This phone is another member's")
    static let birthdayFixed = ProblemKind(
        .conflict, "birthday-fixed", ru: "День рождения больше не изменить, обратитесь в поддержку",
        en: "The birthday cannot be changed any more, ask support")
    static let tooYoung = ProblemKind(
        .unprocessableContent, "too-young", ru: "Участвовать можно с 14 лет", en: "Members are 14 or older")
    static let cardRefused = ProblemKind(
        .unprocessableContent, "card-refused", ru: "Эту карту активировать нельзя", en: "This card cannot be activated")
    static let tooManyCards = ProblemKind(
        .conflict, "too-many-cards", ru: "Карт уже столько, сколько может быть", en: "There are as many cards as may be"
    )
    static let tooManyCardAttempts = ProblemKind(
        .tooManyRequests, "too-many-card-attempts", ru: "Слишком много номеров карт, попробуйте завтра",
        en: "Too many card numbers, try tomorrow")
    static let formNumberUsed = ProblemKind(
        .conflict, "form-number-used", ru: "Анкета с этим номером уже внесена",
        en: "A form of this number was entered before")
    static let possibleDuplicate = ProblemKind(
        .conflict, "possible-duplicate", ru: "Участник с этим именем и днём рождения уже есть",
        en: "There is a member of this name and birthday")
    static let consentChannel = ProblemKind(
        .unprocessableContent, "consent-channel", ru: "Для этой цели такого канала нет",
        en: "There is no such channel for this purpose")
    static let noAddress = ProblemKind(
        .conflict, "no-address", ru: "Сначала подтвердите адрес или телефон", en: "Confirm an address or phone first")
}

extension Problem {
    init(_ refusal: StepUpRefusal) {
        switch refusal {
        case .codeRefused: self.init(ProblemKind.codeRefused)
        case .tooManyCodes: self.init(.tooManyCodes, retryAfter: ChallengeQuotas.hour)
        case .unknownMember: self.init(ProblemKind.noPhone)
        case .spendingLocked: self.init(ProblemKind.spendingLocked)
        case .notActive: self.init(ProblemKind.notActive)
        }
    }

    init(_ refusal: ChangePhone.Refusal, at now: Timestamp) {
        switch refusal {
        case .stepUp(let refusal): self.init(refusal)
        case .quota(let refusal): self.init(refusal, at: now)
        case .codes: self.init(ProblemKind.codeRefused)
        case .taken: self.init(ProblemKind.phoneTaken)
        }
    }

    init(_ refusal: EditProfile.Refusal) {
        switch refusal {
        case .birthdayFixed: self.init(ProblemKind.birthdayFixed, at: "/birthday")
        case .tooYoung: self.init(ProblemKind.tooYoung, at: "/birthday")
        case .gone: self.init(ProblemKind.sessionEnded)
        }
    }

    init(_ refusal: AddPrintedCard.Refusal) {
        switch refusal {
        case .card: self.init(ProblemKind.cardRefused, at: "/card")
        case .tooManyAttempts: self.init(ProblemKind.tooManyCardAttempts, retryAfter: ChallengeQuotas.day)
        case .tooManyCards: self.init(ProblemKind.tooManyCards)
        case .gone: self.init(ProblemKind.sessionEnded)
        }
    }

    init(_ refusal: ChangeConsent.Refusal, at now: Timestamp) {
        switch refusal {
        case .required: self.init(ProblemKind.consentRequired, at: "/purpose")
        case .channel: self.init(ProblemKind.consentChannel, at: "/channel")
        case .noAddress: self.init(ProblemKind.noAddress)
        case .quota(let refusal): self.init(refusal, at: now)
        case .tooManyCodes: self.init(.tooManyCodes, retryAfter: ChallengeQuotas.hour)
        case .gone: self.init(ProblemKind.sessionEnded)
        }
    }

    init(_ refusal: EnterPaperForm.Refusal) {
        switch refusal {
        case .formNumberUsed: self.init(ProblemKind.formNumberUsed, at: "/formNumber")
        case .alreadyMember: self.init(ProblemKind.alreadyMember, at: "/phone")
        case .possibleDuplicate: self.init(ProblemKind.possibleDuplicate, at: "/fullName")
        case .tooYoung: self.init(ProblemKind.tooYoung, at: "/birthday")
        case .card: self.init(ProblemKind.cardRefused, at: "/card")
        }
    }
}
