internal import Contracts
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
public import Web

/// What exchange, donation and certificate answer with alike, because it is the redemption that refuses.
extension ProblemKind {
    /// The code is wrong, lapsed or used.
    public static let codeRefused = ProblemKind(
        .unprocessableContent, "code-refused", ru: "Код не подошёл", en: "The code is not accepted")
    /// Too many codes were asked for.
    public static let tooManyCodes = ProblemKind(
        .tooManyRequests, "too-many-codes", ru: "Слишком много кодов, попробуйте позже",
        en: "Too many codes, try again later")
    /// A code is confirmed that nobody has asked for.
    public static let codeNotAsked = ProblemKind(
        .conflict, "code-not-asked", ru: "Сначала запросите код", en: "Ask for a code first")
    /// The member has locked spending.
    public static let spendingLocked = ProblemKind(
        .forbidden, "spending-locked", ru: "Списание баллов заблокировано в профиле",
        en: "Spending is locked in the profile")
    /// The membership earns and does not spend yet.
    public static let notActive = ProblemKind(
        .forbidden, "not-active", ru: "Карта ещё не подтверждена: баллы копятся, но не списываются",
        en: "The card is not confirmed yet: it earns and does not spend")
    /// The time to confirm is over.
    public static let quoteExpired = ProblemKind(
        .conflict, "quote-expired", ru: "Время подтверждения вышло, начните заново",
        en: "The time to confirm is over, begin again")
    /// Fewer points than it takes; `available` says how many.
    public static let insufficientPoints = ProblemKind(
        .conflict, "insufficient-points", ru: "Недостаточно баллов", en: "Not enough points")
    /// The ledger does not set the points aside; `reason` says why.
    public static let holdRefused = ProblemKind(
        .conflict, "hold-refused", ru: "Баллы не удалось зарезервировать", en: "The points cannot be set aside")
    /// It stands where this cannot be done any more; `state` says where.
    public static let tooLate = ProblemKind(
        .conflict, "too-late", ru: "Этого уже нельзя сделать", en: "It is too late for that")
    /// Another service has not answered; the same request again goes on with it.
    public static let undecided = ProblemKind(
        .serviceUnavailable, "undecided", ru: "Решение ещё не принято, повторите запрос",
        en: "It is not decided yet, repeat the request")
}

extension Problem {
    /// A refusal as the member's client sees it.
    /// - Parameter tooLate: what the service calls a state in which something cannot be done.
    public init(_ refusal: RedemptionRefusal, tooLate: ProblemKind = .tooLate) {
        switch refusal {
        case .notFound: self.init(ProblemKind.notFound)
        case .expired: self.init(ProblemKind.quoteExpired)
        case .notAsked: self.init(ProblemKind.codeNotAsked)
        case .tooLate(let state): self.init(tooLate, extensions: ["state": .text(state.rawValue)])
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        case .hold(.insufficientPoints, let available):
            self.init(.insufficientPoints, extensions: available.map { ["available": .integer($0.amount)] } ?? [:])
        case .hold(let code, _): self.init(.holdRefused, extensions: ["reason": .text(code.rawValue)])
        case .stepUp(.codeRefused): self.init(ProblemKind.codeRefused, at: "/code")
        case .stepUp(.tooManyCodes): self.init(ProblemKind.tooManyCodes, retryAfter: .seconds(60))
        case .stepUp(.unknownMember), .stepUp(.notActive): self.init(ProblemKind.notActive)
        case .stepUp(.spendingLocked): self.init(ProblemKind.spendingLocked)
        }
    }
}
