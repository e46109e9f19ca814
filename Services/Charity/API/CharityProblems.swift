import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Redemption
import Web

/// What the routes of charity answer with beside what every service may.
extension ProblemKind {
    static let unknownCampaign = ProblemKind(
        .notFound, "unknown-campaign", ru: "Такой акции нет или она завершилась",
        en: "There is no such campaign, or it is over")
    static let invalidPoints = ProblemKind(
        .unprocessableContent, "invalid-points", ru: "Пожертвовать можно число баллов, кратное 10",
        en: "Points are given in tens, from 10")
    static let matchSpent = ProblemKind(
        .conflict, "match-spent",
        ru: "Бюджет на удвоение исчерпан: подтвердите, что согласны пожертвовать без удвоения",
        en: "The budget for doubling is spent: say that you agree to give undoubled")
    static let fundNotOpen = ProblemKind(
        .serviceUnavailable, "fund-not-open", ru: "Фонд ещё готовится принимать пожертвования, попробуйте позже",
        en: "The fund is not ready for donations yet, try again later")
    static let codeNeeded = ProblemKind(
        .unprocessableContent, "code-needed", ru: "Подтвердите пожертвование кодом из SMS",
        en: "Confirm the donation by the code of the SMS")
    static let codeNotAsked = ProblemKind(
        .conflict, "code-not-asked", ru: "Сначала запросите код", en: "Ask for a code first")
    static let codeRefused = ProblemKind(
        .unprocessableContent, "code-refused", ru: "Код не подошёл", en: "The code is not accepted")
    static let tooManyCodes = ProblemKind(
        .tooManyRequests, "too-many-codes", ru: "Слишком много кодов, попробуйте позже",
        en: "Too many codes, try again later")
    static let spendingLocked = ProblemKind(
        .forbidden, "spending-locked", ru: "Списание баллов заблокировано в профиле",
        en: "Spending is locked in the profile")
    static let notActive = ProblemKind(
        .forbidden, "not-active", ru: "Карта ещё не подтверждена: баллы копятся, но не списываются",
        en: "The card is not confirmed yet: it earns and does not spend")
    static let quoteExpired = ProblemKind(
        .conflict, "quote-expired", ru: "Время подтверждения вышло, начните заново",
        en: "The time to confirm is over, begin again")
    static let insufficientPoints = ProblemKind(
        .conflict, "insufficient-points", ru: "Недостаточно баллов", en: "Not enough points")
    static let holdRefused = ProblemKind(
        .conflict, "hold-refused", ru: "Баллы не удалось зарезервировать", en: "The points cannot be set aside")
    static let tooLate = ProblemKind(
        .conflict, "too-late", ru: "Этого уже нельзя сделать", en: "It is too late for that")
    static let undecided = ProblemKind(
        .serviceUnavailable, "undecided", ru: "Решение ещё не принято, повторите запрос",
        en: "It is not decided yet, repeat the request")

    // Settlements.
    static let monthNotOver = ProblemKind(
        .conflict, "month-not-over", ru: "Месяц ещё не закончился", en: "The month is not over")
    static let nothingToPay = ProblemKind(
        .conflict, "nothing-to-pay", ru: "За этот месяц выплачивать нечего", en: "Nothing is owed for the month")
    static let wrongState = ProblemKind(
        .conflict, "wrong-state", ru: "Ведомость в другом состоянии", en: "The batch is in another state")
    static let samePerson = ProblemKind(
        .forbidden, "same-person", ru: "Одобряет другой сотрудник", en: "Another colleague must approve")
    static let fundExists = ProblemKind(
        .conflict, "fund-exists", ru: "Такой фонд уже есть", en: "There is a fund of that name")
}

extension Problem {
    init(_ refusal: DonationRefusal) {
        switch refusal {
        case .unknownCampaign: self.init(ProblemKind.unknownCampaign)
        case .matchSpent(let left): self.init(.matchSpent, extensions: ["matchLeft": .integer(left.amount)])
        case .codeNeeded: self.init(ProblemKind.codeNeeded, at: "/code")
        case .spendingLocked: self.init(ProblemKind.spendingLocked)
        case .notActive: self.init(ProblemKind.notActive)
        case .fundNotOpen: self.init(ProblemKind.fundNotOpen, retryAfter: .seconds(5))
        case .unknownDonation: self.init(ProblemKind.notFound)
        }
    }

    init(_ refusal: RedemptionRefusal) {
        switch refusal {
        case .notFound: self.init(ProblemKind.notFound)
        case .expired: self.init(ProblemKind.quoteExpired)
        case .notAsked: self.init(ProblemKind.codeNotAsked)
        case .tooLate(let state): self.init(.tooLate, extensions: ["state": .text(state.rawValue)])
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        case .hold(.insufficientPoints, let available):
            self.init(.insufficientPoints, extensions: available.map { ["available": .integer($0.amount)] } ?? [:])
        case .hold(let code, _): self.init(.holdRefused, extensions: ["reason": .text(code.rawValue)])
        case .stepUp(let code): self.init(code)
        }
    }

    private init(_ refusal: StepUpRefusal) {
        switch refusal {
        case .codeRefused: self.init(ProblemKind.codeRefused, at: "/code")
        case .tooManyCodes: self.init(ProblemKind.tooManyCodes, retryAfter: .seconds(60))
        case .unknownMember, .notActive: self.init(ProblemKind.notActive)
        case .spendingLocked: self.init(ProblemKind.spendingLocked)
        }
    }

    init(_ refusal: BatchRefusal) {
        switch refusal {
        case .unknownBatch, .unknownFund: self.init(ProblemKind.notFound)
        case .monthNotOver: self.init(ProblemKind.monthNotOver)
        case .nothingToPay: self.init(ProblemKind.nothingToPay)
        case .wrongState(let state): self.init(.wrongState, extensions: ["state": .text(state.rawValue)])
        case .samePerson: self.init(ProblemKind.samePerson)
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }
}

/// Turns what the operations refuse into problems.
func refusing<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
    do {
        return try await body()
    } catch let refusal as DonationRefusal {
        throw Problem(refusal)
    } catch let refusal as RedemptionRefusal {
        throw Problem(refusal)
    } catch let refusal as BatchRefusal {
        throw Problem(refusal)
    }
}
