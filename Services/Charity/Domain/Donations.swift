import Kernel

/// How many points a member gives: a multiple of ten from ten, so that it is whole roubles.
struct DonationAmount: Hashable, Sendable {
    let points: Points

    static let step: Int64 = 10
    /// More than anybody has; keeps sums far from their limits.
    static let most: Int64 = 10_000_000
    private static let kopecksPerPoint: Int64 = 10

    /// nil for what cannot be given.
    init?(_ points: Points) {
        guard Self.step...Self.most ~= points.amount, points.amount.isMultiple(of: Self.step) else { return nil }
        self.points = points
    }

    /// What the points are worth to the fund.
    var worth: Kopecks { Kopecks(self.points.amount * Self.kopecksPerPoint) ?? .zero }
}

/// The rules of giving.
struct DonationRules: Hashable, Sendable {
    /// More points than this, at once or within a day without a code, take a code.
    var pointsWithoutCode: Int64 = 1000
    /// The day.
    var period = Duration.seconds(86_400)
    /// How long the member has to confirm.
    var quoteLifetime = Duration.seconds(600)
    /// How long a confirmed donation can be undone.
    var undo = Duration.seconds(1800)
    /// Around the turn of a month nothing is booked, so that this service and the ledger, whose clocks may differ,
    /// book every donation into the same month.
    var monthMargin = Duration.seconds(120)
    /// How long after a month's end its batch is made: whatever was under way then has been heard of.
    var batchDelay = Duration.seconds(86_400)

    /// - Parameter recent: points given without a code within the period.
    func needsCode(_ amount: DonationAmount, recent: Points) -> Bool {
        amount.points.amount > self.pointsWithoutCode - min(recent.amount, self.pointsWithoutCode)
    }
}

/// A fund as everybody sees it.
struct Fund: Hashable, Sendable {
    let id: String
    let name: String
    let englishName: String
    let about: String
    let englishAbout: String
    let openedAt: Timestamp?
}

/// What a fund collects for.
struct Campaign: Hashable, Sendable {
    /// Identifies a campaign.
    typealias ID = Identifier<Campaign>

    let id: ID
    let fund: Fund
    let title: String
    let englishTitle: String
    let beginsAt: Timestamp
    let endsAt: Timestamp?
    let matchBudget: Kopecks
    let matchLeft: Kopecks

    func runs(at now: Timestamp) -> Bool { self.beginsAt <= now && self.endsAt.map { now < $0 } ?? true }

    /// Whether the shop can double this much.
    func doubles(_ worth: Kopecks) -> Bool { worth <= self.matchLeft }
}

/// A donation as the member sees it, beside its redemption.
struct DonationRecord: Hashable, Sendable {
    let id: Donation.ID
    let member: Member.ID
    let campaign: Campaign.ID
    let fund: String
    let points: Points
    let worth: Kopecks
    let match: Kopecks
    let needsCode: Bool
    let confirmedAt: Timestamp?
    let bookedAt: Timestamp?
    let batch: Batch.ID?
}

/// Why a donation does not go on.
enum DonationRefusal: Error, Hashable, Sendable {
    /// No such campaign, or not now.
    case unknownCampaign
    /// The shop cannot double it any more; `left` kopecks could still be. The member may give undoubled, knowingly.
    case matchSpent(left: Kopecks)
    /// A code is needed, because of its size or of what was given today.
    case codeNeeded
    case spendingLocked
    /// The member's paper form waits for its confirmation.
    case notActive
    /// The ledger cannot open the fund's accounts yet.
    case fundNotOpen
    /// Longer away than confirmations last.
    case unknownDonation
}
