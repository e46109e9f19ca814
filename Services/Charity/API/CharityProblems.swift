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
