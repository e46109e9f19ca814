import Kernel

/// A text that members read, in both of their languages.
struct Title: Hashable, Sendable, Codable {
    let russian: String
    let english: String

    private enum CodingKeys: String, CodingKey {
        case russian = "ru"
        case english = "en"
    }

    init(russian: String, english: String) { (self.russian, self.english) = (russian, english) }

    /// 1 to 500 bytes without control characters, in both languages.
    var isSound: Bool {
        [self.russian, self.english].allSatisfy { text in
            1...500 ~= text.utf8.count && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }
    }
}

/// Stickers that are collected until a moment.
struct StickerCampaign: Hashable, Sendable {
    /// The books' name of it.
    let code: String
    let title: Title
    let endsAt: Timestamp
}

/// What a member shows at the till for a discount.
enum Coupon {
    typealias ID = Identifier<Coupon>
}

/// Coupons of one kind: what they give, how many there are, and how one gets them.
struct CouponCampaign: Hashable, Sendable {
    typealias ID = Identifier<CouponCampaign>

    let id: ID
    /// What rules and receipts call it.
    let code: String
    let title: Title
    let benefit: Benefit
    /// Half-open.
    let window: Window
    /// Days that a coupon is good for; never beyond the campaign.
    let daysValid: Int64
    /// Coupons in all, and for one member.
    let countMax: Int64
    let memberMax: Int64
    let source: Source
    let author: Staff.ID
    var approver: Staff.ID?
    var claimed: Int64 = 0

    /// What a coupon takes off, from a total on.
    struct Benefit: Hashable, Sendable, Codable {
        /// One of the two is set.
        var percent: Int64?
        var kopecks: Int64?
        var totalFrom: Int64?

        var isSound: Bool {
            (self.percent == nil) != (self.kopecks == nil) && 1...99 ~= self.percent ?? 1
                && 1...ReceiptLimits.kopecksMax ~= self.kopecks ?? 1
                && 0...ReceiptLimits.kopecksMax ~= self.totalFrom ?? 0
        }
    }

    /// How a member gets a coupon.
    enum Source: Hashable, Sendable {
        /// By taking it.
        case claim
        /// By a rule.
        case rule
        /// For stickers.
        case stickers(campaign: String, price: Int64)
    }
}

/// A member's coupon.
struct WalletCoupon: Hashable, Sendable {
    enum State: String, Hashable, Sendable, Codable {
        case claimed
        case used
        /// The goods that brought it came back.
        case withdrawn
        /// Not stored: a claimed coupon whose time is over.
        case expired
    }

    let id: Coupon.ID
    let campaign: CouponCampaign.ID
    let member: Member.ID
    let title: Title
    let benefit: CouponCampaign.Benefit
    let code: String
    let state: State
    let claimedAt: Timestamp
    let expiresAt: Timestamp
    let usedAt: Timestamp?
}

/// Why a coupon is not given or not taken.
enum CouponRefusal: Error, Hashable, Sendable {
    /// No such campaign or coupon, or not for this member.
    case unknown
    /// All coupons of the campaign are taken.
    case soldOut
    /// The member has as many as may be.
    case memberLimit
    case over
    case used
    /// The till cannot read the token, or it is not ours.
    case invalidToken
    case tokenExpired
    /// The token was shown before.
    case tokenUsed
    case foreignStore
    case unknownStore
    case keyReused
    case insufficientStickers
    case undecided
}
