public import Kernel

// What can be done in the books, as others ask for it. Every transfer has a natural key that its sender makes: the
// receipt, the hold, the part of a capture, or an id of its own. The same transfer again gets the same answer, refusals
// too; something else under the same key is refused.

/// One thing to be done in the books. JSON: the recipe's own fields, and `kind`.
public enum Transfer: Hashable, Sendable {
    /// A receipt earns points.
    case earn(PostReceipt)
    /// Points are set aside.
    case hold(PlaceHold)
    /// Held points are spent, all or a part of them.
    case capture(CaptureHold)
    /// Held points go back.
    case void(VoidHold)
    /// Goods came back.
    case `return`(ReturnGoods)
    /// What has expired is written off now, and not by the next sweep.
    case expire(ExpireMember)
    /// Stickers are given or taken.
    case stickers(MoveStickers)
    /// An exchange with a partner is done.
    case settle(SettleExchange)
    /// A partner or a fund is paid.
    case payOut(PayOut)
    /// A gift certificate is issued.
    case issueCertificate(IssueCertificate)
    /// Money of a gift certificate is spent.
    case redeemCertificate(RedeemCertificate)
    /// What is left on a gift certificate whose time is over is written off.
    case expireCertificate(ExpireCertificate)
    /// Somebody asks for a correction.
    case requestAdjustment(RequestAdjustment)
    /// Somebody else decides about it.
    case decideAdjustment(DecideAdjustment)
    /// Two cards of one person become one.
    case merge(MergeMembers)
    /// A transaction is undone.
    case reverse(ReverseTransaction)

    /// What is done, as JSON and metrics say it.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case earn, hold, capture, void, `return`, expire, stickers, settle, merge, reverse
        case payOut = "pay-out"
        case issueCertificate = "issue-certificate"
        case redeemCertificate = "redeem-certificate"
        case expireCertificate = "expire-certificate"
        case requestAdjustment = "request-adjustment"
        case decideAdjustment = "decide-adjustment"
    }
}

extension Transfer: Codable {
    private enum CodingKeys: String, CodingKey { case kind }

    /// What is done.
    public var kind: Kind { self.parts.kind }

    private var parts: (kind: Kind, recipe: any Codable & Sendable) {
        switch self {
        case .earn(let recipe): (.earn, recipe)
        case .hold(let recipe): (.hold, recipe)
        case .capture(let recipe): (.capture, recipe)
        case .void(let recipe): (.void, recipe)
        case .return(let recipe): (.return, recipe)
        case .expire(let recipe): (.expire, recipe)
        case .stickers(let recipe): (.stickers, recipe)
        case .settle(let recipe): (.settle, recipe)
        case .payOut(let recipe): (.payOut, recipe)
        case .issueCertificate(let recipe): (.issueCertificate, recipe)
        case .redeemCertificate(let recipe): (.redeemCertificate, recipe)
        case .expireCertificate(let recipe): (.expireCertificate, recipe)
        case .requestAdjustment(let recipe): (.requestAdjustment, recipe)
        case .decideAdjustment(let recipe): (.decideAdjustment, recipe)
        case .merge(let recipe): (.merge, recipe)
        case .reverse(let recipe): (.reverse, recipe)
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .earn: self = .earn(try PostReceipt(from: decoder))
        case .hold: self = .hold(try PlaceHold(from: decoder))
        case .capture: self = .capture(try CaptureHold(from: decoder))
        case .void: self = .void(try VoidHold(from: decoder))
        case .return: self = .return(try ReturnGoods(from: decoder))
        case .expire: self = .expire(try ExpireMember(from: decoder))
        case .stickers: self = .stickers(try MoveStickers(from: decoder))
        case .settle: self = .settle(try SettleExchange(from: decoder))
        case .payOut: self = .payOut(try PayOut(from: decoder))
        case .issueCertificate: self = .issueCertificate(try IssueCertificate(from: decoder))
        case .redeemCertificate: self = .redeemCertificate(try RedeemCertificate(from: decoder))
        case .expireCertificate: self = .expireCertificate(try ExpireCertificate(from: decoder))
        case .requestAdjustment: self = .requestAdjustment(try RequestAdjustment(from: decoder))
        case .decideAdjustment: self = .decideAdjustment(try DecideAdjustment(from: decoder))
        case .merge: self = .merge(try MergeMembers(from: decoder))
        case .reverse: self = .reverse(try ReverseTransaction(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        let (kind, recipe) = self.parts
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try recipe.encode(to: encoder)
    }
}

/// What became of a transfer.
public enum TransferOutcome: Codable, Hashable, Sendable {
    /// It is in the books, now or since the first time.
    case done(TransferResult)
    /// Nothing has changed.
    case refused(TransferRefusal)

    private enum Status: String, Codable { case done, refused }
    private enum CodingKeys: String, CodingKey { case status, result, code }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Status.self, forKey: .status) {
        case .done: self = .done(try container.decode(TransferResult.self, forKey: .result))
        case .refused: self = .refused(try container.decode(TransferRefusal.self, forKey: .code))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .done(let result):
            try container.encode(Status.done, forKey: .status)
            try container.encode(result, forKey: .result)
        case .refused(let refusal):
            try container.encode(Status.refused, forKey: .status)
            try container.encode(refusal, forKey: .code)
        }
    }
}

/// What a transfer has done: the numbers that its kind has.
public struct TransferResult: Codable, Hashable, Sendable {
    /// The transaction that did it; nil for what has changed no balance.
    public var transaction: LedgerTransaction.ID?
    /// What the member can spend afterwards.
    public var available: Points?
    /// What the member owes afterwards.
    public var debt: Points?
    /// earn: points for the balance, for the debt, and points that wait.
    public var credited, repaid, waiting: Points?
    /// hold: when the points are free again.
    public var expiresAt: Timestamp?
    /// capture, void: points burnt, and points given back.
    public var captured, released: Points?
    /// return: points taken back, and where they were taken from; `forgone` is what the policy left.
    public var clawedBack, fromPending, fromAvailable, asDebt, forgone: Points?
    /// return: points given back that were spent; those of them whose lots had expired live another 14 days.
    public var restored, grace: Points?
    /// stickers: how many there are afterwards.
    public var balance: Int64?
    /// settle, pay-out: points and money that were settled; expire-certificate: the money that was written off.
    public var points: Points?
    public var kopecks: Kopecks?
    /// Certificates: what is left to spend.
    public var remaining: Kopecks?
    /// Corrections: how far they are.
    public var state: AdjustmentState?

    /// Nothing.
    public init() {}
}

/// How far a correction is.
public enum AdjustmentState: String, Codable, Hashable, Sendable {
    case requested, approved, rejected
}

/// Why the books were not changed.
public enum TransferRefusal: String, Codable, Hashable, Sendable, CaseIterable {
    /// Another transfer has this id.
    case idMismatch = "id-mismatch"
    /// The receipt's id or fiscal triple belongs to another receipt.
    case receiptMismatch = "receipt-mismatch"
    /// The books do not know the receipt (yet), or it is another member's.
    case unknownReceipt = "unknown-receipt"
    /// The receipt's lines are not those of its first return, or do not sum to what was earned.
    case linesMismatch = "lines-mismatch"
    /// More of a line than is left of it.
    case exceedsLine = "exceeds-line"
    case insufficientPoints = "insufficient-points"
    case unknownMember = "unknown-member"
    case unknownHold = "unknown-hold"
    case holdMismatch = "hold-mismatch"
    case holdCaptured = "hold-captured"
    case holdVoided = "hold-voided"
    case holdExpired = "hold-expired"
    case exceedsHold = "exceeds-hold"
    case unknownCampaign = "unknown-campaign"
    case campaignOver = "campaign-over"
    case insufficientStickers = "insufficient-stickers"
    case unknownPurpose = "unknown-purpose"
    case wrongPurpose = "wrong-purpose"
    /// A face value that no certificate has.
    case wrongWorth = "wrong-worth"
    case unknownCertificate = "unknown-certificate"
    case insufficientMoney = "insufficient-money"
    /// What was paid with money is an advance payment and keeps its worth.
    case neverExpires = "never-expires"
    case alreadySettled = "already-settled"
    case nothingOwed = "nothing-owed"
    case unknownAdjustment = "unknown-adjustment"
    /// Who has asked for a correction cannot decide about it.
    case samePerson = "same-person"
    case alreadyDecided = "already-decided"
    case sameMember = "same-member"
    /// A payment of the card that goes is under way.
    case openHolds = "open-holds"
    /// The card that stays has been merged away itself, or the one that goes is somebody else by now.
    case mergedAway = "merged-away"
    case unknownTransaction = "unknown-transaction"
    /// Transactions of this kind are undone otherwise.
    case notReversible = "not-reversible"
    case alreadyReversed = "already-reversed"
    /// Some of it came back with returned goods.
    case alreadyReturned = "already-returned"
    /// An amount of nothing.
    case nothing
}

/// Do something in the books, together with what others ask for at the same time. Told of by ``TransferDone``.
public struct PostTransfer: Command, Hashable {
    public static let name = "ledger.post-transfer"
    public static let queue: QueueName = "ledger.transfers"

    /// What.
    public let transfer: Transfer

    /// Asks for it.
    public init(_ transfer: Transfer) { self.transfer = transfer }
}

/// Do something in the books and say what became of it.
public struct MakeTransfer: Call, Hashable {
    public static let name = "ledger.make-transfer"
    public static let queue: QueueName = "ledger.calls"
    public typealias Reply = TransferOutcome

    /// What.
    public let transfer: Transfer

    /// Asks for it.
    public init(_ transfer: Transfer) { self.transfer = transfer }
}

/// A ``PostTransfer`` was answered.
public struct TransferDone: Event, Hashable {
    public static let name = "ledger.transfer-done"

    /// What was asked for.
    public let transfer: Transfer
    /// What became of it.
    public let outcome: TransferOutcome

    /// Says what became of a transfer.
    public init(_ transfer: Transfer, _ outcome: TransferOutcome) {
        self.transfer = transfer
        self.outcome = outcome
    }
}
