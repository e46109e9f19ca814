import Kernel
import Web

/// An offer as a colleague drafts it.
struct OfferDraftBody: Decodable, Sendable {
    let sku: String
    let title: Title
    let oldPrice: Kopecks
    let price: Kopecks
    /// `2026-12-01`, in the zone of each shop, half-open.
    let from: String
    let to: String
    let stores: [StoreID]?
    let segment: String?

    func parsed(id: Offer.ID) throws(Problem) -> Offer {
        guard let from = CivilDate(text: self.from) else {
            throw Problem(.invalidValue, at: "/from", detail: "a day is written as 2026-12-01")
        }
        guard let to = CivilDate(text: self.to), from.daysSince1970 < to.daysSince1970,
            to.daysSince1970 - from.daysSince1970 <= 366
        else { throw Problem(.invalidValue, at: "/to", detail: "a day after from, by a year at most") }
        guard self.title.isSound else { throw Problem(.invalidValue, at: "/title", detail: "1 to 500 bytes each") }
        guard self.price < self.oldPrice, self.oldPrice.amount <= ReceiptLimits.kopecksMax else {
            throw Problem(.invalidValue, at: "/price", detail: "below the old price")
        }
        guard self.sku.isLine(max: 64), self.segment?.isCode ?? true, 1...1000 ~= self.stores?.count ?? 1 else {
            throw Problem(.invalidValue, detail: "a product, a segment, or 1 to 1000 stores")
        }
        return Offer(
            id: id, sku: self.sku, category: "", product: "", title: self.title, oldPrice: self.oldPrice,
            price: self.price, from: from, to: to, stores: self.stores?.map(\.text), segment: self.segment)
    }
}

/// A coupon campaign as a colleague drafts it.
struct CampaignDraftBody: Decodable, Sendable {
    let code: String
    let title: Title
    let benefit: CouponCampaign.Benefit
    let from: Timestamp
    let to: Timestamp
    let daysValid: Int64
    let countMax: Int64
    let memberMax: Int64
    /// `claim`, `rule` or `stickers`.
    let source: String
    let stickers: Stickers?

    struct Stickers: Decodable, Sendable {
        let campaign: String
        let count: Int64
    }

    func parsed(id: CouponCampaign.ID, by author: Staff.ID) throws(Problem) -> CouponCampaign {
        guard self.code.isCode else { throw Problem(.invalidValue, at: "/code", detail: "a-z, 0-9, -, at most 32") }
        guard self.title.isSound else { throw Problem(.invalidValue, at: "/title", detail: "1 to 500 bytes each") }
        guard self.benefit.isSound else {
            throw Problem(.invalidValue, at: "/benefit", detail: "percent 1 to 99, or kopecks")
        }
        guard self.from < self.to, ReceiptLimits.isSound(self.from), ReceiptLimits.isSound(self.to) else {
            throw Problem(.invalidValue, at: "/to", detail: "after from")
        }
        guard 1...366 ~= self.daysValid, 1...1_000_000_000 ~= self.countMax, 1...1000 ~= self.memberMax else {
            throw Problem(.invalidValue, detail: "daysValid 1 to 366, countMax from 1, memberMax 1 to 1000")
        }
        let source: CouponCampaign.Source
        switch (self.source, self.stickers) {
        case ("claim", nil): source = .claim
        case ("rule", nil): source = .rule
        case ("stickers", let stickers?) where stickers.campaign.isCode && 1...10_000 ~= stickers.count:
            source = .stickers(campaign: stickers.campaign, price: stickers.count)
        default: throw Problem(.invalidValue, at: "/source", detail: "claim, rule, or stickers with their price")
        }
        return CouponCampaign(
            id: id, code: self.code, title: self.title, benefit: self.benefit,
            window: Window(from: self.from, to: self.to), daysValid: self.daysValid, countMax: self.countMax,
            memberMax: self.memberMax, source: source, author: author)
    }
}

struct StickerDraftBody: Decodable, Sendable {
    let title: Title
    let endsAt: Timestamp
}

struct SegmentBody: Decodable, Sendable {
    let members: [Member.ID]
    let isIn: Bool
}

/// A store's hours as a colleague sets them.
struct HoursBody: Decodable, Sendable {
    let phone: String?
    /// Minutes east of Greenwich.
    let utcOffset: Int64
    let schedule: [OpeningHours.Weekly]
    let exceptions: [Exception]

    struct Exception: Decodable, Sendable {
        let day: String
        let opens: Int64?
        let closes: Int64?
    }

    func parsedExceptions() throws(Problem) -> [OpeningHours.Exception] {
        guard LocalTime.offsets ~= self.utcOffset else {
            throw Problem(.invalidValue, at: "/utcOffset", detail: "-720 to 840")
        }
        guard self.schedule.count <= 21, self.schedule.allSatisfy(\.isSound), self.exceptions.count <= 366,
            self.phone?.isLine(max: 32) ?? true
        else { throw Problem(.invalidValue, at: "/schedule", detail: "weekday 1 to 7, opens before closes") }
        var parsed: [OpeningHours.Exception] = []
        for (index, exception) in self.exceptions.enumerated() {
            guard let day = CivilDate(text: exception.day) else {
                throw Problem(.invalidValue, at: "/exceptions/\(index)/day", detail: "written as 2027-01-01")
            }
            switch (exception.opens, exception.closes) {
            case (nil, nil): parsed.append(.init(day: day, hours: nil))
            case (let opens?, let closes?) where 0...1439 ~= opens && opens < closes && closes <= 2880:
                parsed.append(.init(day: day, hours: opens...closes))
            default:
                throw Problem(.invalidValue, at: "/exceptions/\(index)", detail: "both hours, or none: closed")
            }
        }
        return parsed
    }
}

extension String {
    /// 1 to 32 lower-case letters, digits and hyphens.
    var isCode: Bool {
        1...32 ~= self.utf8.count && self.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
    }
}
