public import Kernel

// What a service asks of auth before value leaves a member's account: a code by SMS that is bound to the action, its
// amount and its target, and the SMS says all three (services.md, step-up).

/// What a step-up code confirms. The service that asks keeps it and shows it again when the code comes.
public struct StepUpSubject: Codable, Hashable, Sendable {
    /// What is about to be done.
    public let action: Action
    /// How many points or kopecks; nil where nothing is counted.
    public let amount: Int64?
    /// What the amount counts.
    public let unit: Unit?
    /// To whom or what, as the SMS says it: «S7 Airlines», «Линия жизни», the last digits of a phone.
    public let target: String

    /// What a code can confirm.
    public enum Action: String, Codable, Hashable, Sendable, CaseIterable {
        case exchange, donation, certificate
        case phoneChange = "phone-change"
        case newCard = "new-card"
        case unlockSpending = "unlock-spending"
        case erasure
    }

    /// What an amount counts.
    public enum Unit: String, Codable, Hashable, Sendable { case points, kopecks }

    /// Describes what a code confirms.
    public init(action: Action, amount: Int64?, unit: Unit?, target: String) {
        (self.action, self.amount, self.unit, self.target) = (action, amount, unit, target)
    }
}

/// Send a member a code of six digits that confirms one action. The same id again gets the same answer and no second SMS.
public struct RequestStepUp: Call, Hashable {
    public static let name = "auth.request-step-up"
    public static let queue: QueueName = "auth.step-ups"
    public static let isConfidential = true

    /// Made by the caller.
    public let id: StepUp.ID
    /// Who must confirm.
    public let member: Member.ID
    /// What.
    public let subject: StepUpSubject

    /// Asks for a code.
    public init(id: StepUp.ID, member: Member.ID, subject: StepUpSubject) {
        (self.id, self.member, self.subject) = (id, member, subject)
    }

    /// How it went: `expiresAt` when the SMS is on its way, or why there is none.
    public struct Reply: Codable, Hashable, Sendable {
        /// Until when the code is accepted; nil when none was sent.
        public let expiresAt: Timestamp?
        /// When the same code may be sent again; nil when it may not.
        public let resendAt: Timestamp?
        /// Why there is no code.
        public let refusal: StepUpRefusal?

        /// A code is on its way.
        public init(expiresAt: Timestamp, resendAt: Timestamp?) {
            (self.expiresAt, self.resendAt, self.refusal) = (expiresAt, resendAt, nil)
        }

        /// There is none.
        public init(_ refusal: StepUpRefusal) {
            (self.expiresAt, self.resendAt, self.refusal) = (nil, nil, refusal)
        }
    }
}

/// Is this the code for this very action? A right answer uses the code up: asked again with the same subject the answer
/// stays `confirmed`, so that a repeated request goes on with it; another subject is a mismatch.
public struct ConfirmStepUp: Call, Hashable {
    public static let name = "auth.confirm-step-up"
    public static let queue: QueueName = "auth.step-ups"
    public static let isConfidential = true

    /// Which code.
    public let id: StepUp.ID
    /// Who confirms.
    public let member: Member.ID
    /// What; must be what the code was asked for.
    public let subject: StepUpSubject
    /// The digits as the member typed them.
    public let code: String

    /// Presents a code.
    public init(id: StepUp.ID, member: Member.ID, subject: StepUpSubject, code: String) {
        (self.id, self.member, self.subject, self.code) = (id, member, subject, code)
    }

    /// How it went.
    public struct Reply: Codable, Hashable, Sendable {
        /// nil: confirmed.
        public let refusal: StepUpRefusal?

        /// Answers.
        public init(_ refusal: StepUpRefusal?) { self.refusal = refusal }
    }
}

/// Why a code is not sent or not accepted.
public enum StepUpRefusal: String, Error, Codable, Hashable, Sendable {
    /// Wrong, lapsed, used, unknown, or for something else: which of them is not said.
    case codeRefused = "code-refused"
    /// Too many codes were asked for; try later.
    case tooManyCodes = "too-many-codes"
    /// There is no such member, or no longer.
    case unknownMember = "unknown-member"
    /// The member has locked spending.
    case spendingLocked = "spending-locked"
    /// The member is not active yet: a paper form that waits for its confirmation.
    case notActive = "not-active"
}

/// May this member's points leave the account now?
public struct FetchStanding: Call, Hashable {
    public static let name = "auth.fetch-standing"
    public static let queue: QueueName = "auth.calls"
    public static let durability = CallDurability.volatile

    /// Who.
    public let member: Member.ID

    /// Asks for a member's standing.
    public init(member: Member.ID) { self.member = member }

    /// What is known; nil of a member that is unknown or erased.
    public struct Reply: Codable, Hashable, Sendable {
        /// nil when there is no such member.
        public let standing: MemberStanding?

        /// Answers.
        public init(_ standing: MemberStanding?) { self.standing = standing }
    }
}

/// What decides whether a member may spend.
public struct MemberStanding: Codable, Hashable, Sendable {
    /// false while a paper form waits: the card earns and does not spend.
    public let isActive: Bool
    /// The member has locked spending.
    public let isSpendingLocked: Bool
    /// When the phone was last changed; nil when it never was.
    public let phoneChangedAt: Timestamp?
    /// The languages of texts, `ru` or `en`.
    public let language: String

    /// Describes a standing.
    public init(isActive: Bool, isSpendingLocked: Bool, phoneChangedAt: Timestamp?, language: String) {
        (self.isActive, self.isSpendingLocked) = (isActive, isSpendingLocked)
        (self.phoneChangedAt, self.language) = (phoneChangedAt, language)
    }
}
