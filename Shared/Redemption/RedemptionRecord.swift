public import Contracts
public import Kernel
internal import Postgres

/// A redemption as its row has it: what it is, and where it stands.
public struct RedemptionRecord: Hashable, Sendable {
    /// Also the id of the hold and of the settlement in the ledger, and the other side's idempotency key.
    public typealias ID = Identifier<RedemptionRecord>

    public let id: ID
    /// Whose points.
    public let member: Member.ID
    /// What the hold is for: `partner:s7`, `charity:line-of-life`, `certificate`.
    public let purpose: HoldPurpose
    /// How many points.
    public let points: Points
    /// What they are worth in money that is owed to whoever the purpose names.
    public let worth: Kopecks
    /// What the shop adds.
    public let match: Kopecks
    /// To whom or what, as the SMS with the code says it.
    public let target: String
    /// How long it stays reserved, and can be taken back, before the other side is asked.
    public let pause: Duration
    /// Until when the offer holds.
    public let quotedUntil: Timestamp
    public let createdAt: Timestamp
    /// Under which the ledger undoes a capture.
    public let undo: LedgerTransfer.ID

    public internal(set) var state: RedemptionState
    /// The number of the last step, from 0.
    public internal(set) var step: Int32
    /// How often the duty of this state was begun.
    public internal(set) var tries: Int32
    /// Since when it stands here.
    public internal(set) var since: Timestamp
    /// When the duty is to be done; nil when nothing happens by itself.
    public internal(set) var dueAt: Timestamp?
    /// The code that confirms it.
    public internal(set) var stepUp: StepUp.ID?
    /// Why it went aside, in kebab case: `insufficient-points`, `taken-back`, the other side's code.
    public internal(set) var reason: String?
    /// What the other side calls it.
    public internal(set) var reference: String?
    /// The transaction that took the points; nil while they are held, and when they are not.
    public internal(set) var capturedBy: LedgerTransaction.ID?

    /// The hold in the ledger.
    public var hold: Hold.ID { Hold.ID(self.id.raw) }

    /// The transfer that settles it, or issues what was bought.
    public var transfer: LedgerTransfer.ID { LedgerTransfer.ID(self.id.raw) }
}

extension RedemptionRecord {
    /// What is to be done next, once ``dueAt`` has come.
    public var duty: RedemptionDuty? {
        switch self.state {
        case .quoted, .confirming: .lapse
        case .reserving: .reserve
        case .reserved: .submit
        case .submitted, .unknown: .inquire
        case .accepted: self.capturedBy == nil ? .capture : .inquire
        case .credited: self.capturedBy == nil ? .capture : .settle
        case .rejected, .cancelling: .giveBack
        case .settled, .reversed, .expired, .manual: nil
        }
    }

    /// Where an answer of the other side leads; nil when it says nothing new.
    ///
    /// - Throws: ``Contradiction`` when the answer cannot be true beside what is written.
    public func next(after answer: FulfilmentAnswer) throws(Contradiction) -> RedemptionState? {
        let wanted: RedemptionState
        switch answer {
        case .accepted: wanted = .accepted
        case .credited: wanted = .credited
        case .rejected: wanted = .rejected
        case .unknown: wanted = .unknown
        case .pending, .notFound: return nil
        }
        if self.state == wanted { return nil }
        if self.state.nexts.contains(wanted) { return wanted }
        switch (wanted, self.state) {
        // Later news than this was heard before.
        case (.unknown, _), (.accepted, .credited), (.accepted, .settled), (.credited, .settled),
            (.rejected, .reversed):
            return nil
        default:
            throw Contradiction(state: self.state, answer: answer)
        }
    }

    /// The same at the next place.
    func moved(to next: RedemptionState, at now: Timestamp, due: Timestamp?, reason: String? = nil) -> Self {
        precondition(self.state.nexts.contains(next), "a redemption does not go from \(self.state) to \(next)")
        var moved = self
        (moved.state, moved.step, moved.tries) = (next, self.step + 1, 0)
        (moved.since, moved.dueAt) = (now, due)
        // Why it went aside is of interest until all of it is undone, and not once it goes on.
        moved.reason = reason ?? (next == .reversed || next == .manual ? self.reason : nil)
        return moved
    }
}

/// The other side says something that cannot be true beside what is written: it rejects what it has credited, or credits
/// what was given back. A person must look.
public struct Contradiction: Error, Hashable, Sendable {
    public let state: RedemptionState
    public let answer: FulfilmentAnswer
}

/// One step of a redemption.
public struct RedemptionStep: Hashable, Sendable {
    /// From 0.
    public let number: Int32
    public let state: RedemptionState
    public let reason: String?
    public let at: Timestamp
}

/// What a member wants, before it has a row.
public struct NewRedemption: Hashable, Sendable {
    public var id: RedemptionRecord.ID
    public var member: Member.ID
    public var purpose: HoldPurpose
    /// Above zero.
    public var points: Points
    public var worth: Kopecks
    public var match: Kopecks
    /// As the SMS with the code says it; up to 100 characters.
    public var target: String
    public var pause: Duration
    public var quotedUntil: Timestamp

    /// Describes it.
    /// - Parameters:
    ///   - pause: how long it stays reserved, and can be taken back, before the other side is asked.
    ///   - quotedUntil: until when it must be confirmed.
    public init(
        id: RedemptionRecord.ID, member: Member.ID, purpose: HoldPurpose, points: Points, worth: Kopecks = .zero,
        match: Kopecks = .zero, target: String, pause: Duration = .zero, quotedUntil: Timestamp
    ) {
        (self.id, self.member, self.purpose, self.points) = (id, member, purpose, points)
        (self.worth, self.match, self.target, self.pause) = (worth, match, target, pause)
        self.quotedUntil = quotedUntil
    }
}
