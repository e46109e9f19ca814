public import Postgres

/// Where a redemption stands: points on their way into something else.
///
/// ```
/// quoted → confirming → reserving → reserved → submitted → accepted → credited → settled
///    └─ expired, reversed   └ rejected    └ cancelling     └ unknown, rejected, manual
/// ```
///
/// Every redemption ends `settled`, or fully undone: `reversed` or `expired`.
public enum RedemptionState: String, Codable, Hashable, Sendable, CaseIterable {
    /// The member has an offer whose rate holds for a while.
    case quoted
    /// The member was sent a code that confirms it.
    case confirming
    /// It is confirmed, and the ledger is being asked for the hold.
    case reserving
    /// The points are set aside. Until it is submitted the member can take it back.
    case reserved
    /// The other side is being asked. Written before it is.
    case submitted
    /// The other side was silent: whether it has done it cannot be said. It is asked again and again, nothing is given back.
    case unknown
    /// The other side will do it: the points are taken.
    case accepted
    /// The other side has done it.
    case credited
    /// The books are closed about it. An end.
    case settled
    /// The ledger or the other side will not do it: the points go back.
    case rejected
    /// The member has taken it back: the points go back.
    case cancelling
    /// Nothing of it is left: the points are back, or never went. An end.
    case reversed
    /// A colleague must find out what happened.
    case manual
    /// The offer ran out before it was confirmed. An end.
    case expired

    /// Where it can go from here. Nothing else is ever written.
    public var nexts: Set<RedemptionState> {
        switch self {
        case .quoted: [.confirming, .reserving, .reversed, .expired]
        case .confirming: [.reserving, .reversed, .expired]
        case .reserving: [.reserved, .rejected]
        case .reserved: [.submitted, .cancelling]
        case .submitted: [.unknown, .accepted, .credited, .rejected, .manual]
        case .unknown: [.accepted, .credited, .rejected, .manual]
        case .accepted: [.credited, .rejected, .manual]
        case .credited: [.settled, .manual]
        case .rejected, .cancelling: [.reversed, .manual]
        case .manual: [.accepted, .credited, .rejected]
        case .settled, .reversed, .expired: []
        }
    }

    /// Whether it stays so for ever.
    public var isEnd: Bool { self.nexts.isEmpty }

    /// Whether points are set aside or taken and it has not ended: what must not stay so for long.
    public var isUnderWay: Bool {
        switch self {
        case .quoted, .confirming, .settled, .reversed, .expired: false
        case .reserving, .reserved, .submitted, .unknown, .accepted, .credited, .rejected, .cancelling, .manual: true
        }
    }
}

extension RedemptionState: PostgresWrapper, PostgresArrayElement {}

/// What is to be done about a redemption next, by nobody's will.
public enum RedemptionDuty: Hashable, Sendable {
    /// The offer has run out.
    case lapse
    /// Ask the ledger to set the points aside.
    case reserve
    /// Ask the other side to do it.
    case submit
    /// Ask the other side what became of it.
    case inquire
    /// Take the points.
    case capture
    /// Close the books about it.
    case settle
    /// Give the points back.
    case giveBack
}
