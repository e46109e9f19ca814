import Kernel
import Redemption
import Web

/// What a member wants to give.
struct DonationBody: Decodable, Sendable {
    let campaign: String
    let points: Int64
    /// The member knows that the shop adds nothing.
    let undoubled: Bool?

    func parsed() throws(Problem) -> (campaign: Campaign.ID, amount: DonationAmount, undoubled: Bool) {
        guard let campaign = Campaign.ID(self.campaign) else { throw Problem(.unknownCampaign, at: "/campaign") }
        guard let points = Points(self.points), let amount = DonationAmount(points) else {
            throw Problem(.invalidPoints, at: "/points")
        }
        return (campaign, amount, self.undoubled ?? false)
    }
}

/// Whether a new code is wanted instead of the one that was sent.
struct CodeRequestBody: Decodable, Sendable {
    let again: Bool?
}

/// The code, where one is needed.
struct ConfirmationBody: Decodable, Sendable {
    let code: String?

    func parsed() throws(Problem) -> String? {
        guard let code = self.code else { return nil }
        guard 1...16 ~= code.utf8.count, code.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            throw Problem(.codeRefused, at: "/code")
        }
        return code
    }
}

/// A code is on its way.
struct CodeAnswer: Encodable, Sendable {
    let expiresAt: Timestamp?
    let resendAt: Timestamp?
}

/// A donation as its member sees it. Money in kopecks.
struct DonationAnswer: Encodable, Sendable {
    let id: Donation.ID
    let state: String
    let campaign: Campaign.ID
    let campaignTitle: String
    let fund: String
    let fundName: String
    let points: Points
    let worth: Kopecks
    /// What the shop adds; 0 when it is undoubled.
    let match: Kopecks
    let needsCode: Bool
    /// Until when it must be confirmed, while it must.
    let confirmUntil: Timestamp?
    /// Until when it can be undone, while it can.
    let undoUntil: Timestamp?
    let bookedAt: Timestamp?
    let reason: String?
    /// How the fund was paid, once it is in a batch.
    let settlement: Settlement?

    /// The proof: the batch with its signed file, and the fund's word for its receipt.
    struct Settlement: Encodable, Sendable {
        let id: Batch.ID
        let state: String
        let acknowledgement: String?
        let acknowledgedAt: Timestamp?
    }

    init(_ standing: Donate.Standing, batch: Batch?) {
        let (donation, redemption) = (standing.donation, standing.redemption)
        self.id = donation.id
        self.state = redemption.donationState
        (self.campaign, self.campaignTitle) = (donation.campaign, standing.campaign.title)
        (self.fund, self.fundName) = (donation.fund, standing.campaign.fund.name)
        (self.points, self.worth, self.match) = (donation.points, donation.worth, donation.match)
        self.needsCode = donation.needsCode
        let isOffer = redemption.state == .quoted || redemption.state == .confirming
        self.confirmUntil = isOffer ? redemption.quotedUntil : nil
        self.undoUntil = redemption.state == .reserved ? redemption.since + redemption.pause : nil
        self.bookedAt = donation.bookedAt
        self.reason = redemption.reason
        self.settlement = batch.map {
            Settlement(
                id: $0.id, state: $0.state.rawValue, acknowledgement: $0.acknowledgement,
                acknowledgedAt: $0.acknowledgedAt)
        }
    }
}

extension RedemptionRecord {
    /// The state in the words of a donation.
    fileprivate var donationState: String {
        switch self.state {
        case .quoted, .confirming: "offered"
        case .reserving: "confirming"
        case .reserved: "confirmed"
        case .submitted, .unknown, .accepted, .credited: "giving"
        case .settled: "given"
        case .rejected: "refused"
        case .cancelling, .reversed: self.reason == "taken-back" ? "undone" : "refused"
        case .manual: "checking"
        case .expired: "expired"
        }
    }
}

/// A fund as everybody sees it.
struct FundAnswer: Encodable, Sendable {
    let id: String
    let name: String
    let nameEn: String
    let about: String
    let aboutEn: String

    init(_ fund: Fund) {
        (self.id, self.name, self.nameEn) = (fund.id, fund.name, fund.englishName)
        (self.about, self.aboutEn) = (fund.about, fund.englishAbout)
    }
}

/// A campaign as everybody sees it. Money in kopecks.
struct CampaignAnswer: Encodable, Sendable {
    let id: Campaign.ID
    let fund: FundAnswer
    let title: String
    let titleEn: String
    let beginsAt: Timestamp
    let endsAt: Timestamp?
    let matchBudget: Kopecks
    /// How much the shop will still add.
    let matchLeft: Kopecks

    init(_ campaign: Campaign) {
        (self.id, self.fund) = (campaign.id, FundAnswer(campaign.fund))
        (self.title, self.titleEn) = (campaign.title, campaign.englishTitle)
        (self.beginsAt, self.endsAt) = (campaign.beginsAt, campaign.endsAt)
        (self.matchBudget, self.matchLeft) = (campaign.matchBudget, campaign.matchLeft)
    }
}

/// How much has been given, by everybody together. Money in kopecks.
struct CounterAnswer: Encodable, Sendable {
    let donations: Int64
    let points: Int64
    /// What the funds get: the members' part and the shop's.
    let kopecks: Int64
    let funds: [OfFund]

    /// The same for one fund.
    struct OfFund: Encodable, Sendable {
        let fund: String
        let name: String
        let donations: Int64
        let points: Points
        let kopecks: Kopecks
    }

    init(_ funds: [OfFund]) {
        self.funds = funds
        self.donations = funds.reduce(0) { $0 + $1.donations }
        self.points = funds.reduce(0) { $0 + $1.points.amount }
        self.kopecks = funds.reduce(0) { $0 + $1.kopecks.amount }
    }
}
