import Contracts
import Kernel

/// Why points are not exchanged.
enum ExchangeRefusal: Error, Hashable, Sendable {
    case unknownOffer
    case unknownPartner
    /// Not yet, or not any more, or taken off.
    case offerClosed
    /// The amount must be a multiple of the step within the range.
    case wrongAmount(step: Int64, min: Int64, max: Int64)
    /// The offer's stock, its budget or the pool of codes is used up.
    case soldOut
    /// The partner needs the member's number in its programme first.
    case notLinked
    /// The number was changed: it waits until then.
    case cooling(until: Timestamp)
    /// The number is not the one that the offer was made for.
    case linkChanged
    case wrongNumber(NumberRule.Flaw)
    /// The partner does not know the number.
    case unknownNumber
    /// The partner knows the number under another name.
    case otherName
    /// The phone was changed a short while ago: nothing leaves the account until then.
    case phoneChanged(until: Timestamp)
    case spendingLocked
    case notActive
    /// No more than so many points are left for today.
    case overLimit(left: Points)
    /// The partner cannot be reached now; nothing was set aside.
    case partnerDown(retryAfter: Duration)
    /// Another service did not answer in time; nothing has changed.
    case undecided
}

/// How much may leave at once.
struct ExchangeLimits: Sendable {
    /// Points that a member may exchange in 24 hours.
    var memberDay: Int64 = 100_000
    /// Points that may go to one number of a partner in 24 hours, whoever's they are.
    var numberDay: Int64 = 100_000
    /// From so many points on, the first exchange to a number waits.
    var largeFirst: Int64 = 10_000
    /// How long it waits; meanwhile the member can take it back by a link.
    var firstPause = Duration.seconds(86_400)
    /// How long a changed number waits.
    var coolingOff = Duration.seconds(72 * 3600)
    /// How long nothing is exchanged after the phone was changed.
    var phoneChange = Duration.seconds(72 * 3600)
    /// How long a rate holds.
    var quote = Duration.seconds(600)
    /// Of the limits "a day".
    static let day = Duration.seconds(86_400)

    init() {}

    /// Refuses a member who may not let points go now.
    /// - Throws: ``ExchangeRefusal``.
    func check(_ standing: MemberStanding?, at now: Timestamp) throws(ExchangeRefusal) {
        guard let standing, standing.isActive else { throw .notActive }
        guard !standing.isSpendingLocked else { throw .spendingLocked }
        if let changed = standing.phoneChangedAt, now < changed + self.phoneChange {
            throw .phoneChanged(until: changed + self.phoneChange)
        }
    }
}
