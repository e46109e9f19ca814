import Kernel

/// A product that costs less for some days.
struct Offer: Hashable, Sendable {
    typealias ID = Identifier<Offer>

    let id: ID
    let sku: String
    let category: String
    let product: String
    let title: Title
    /// As they were when the offer was made.
    let oldPrice: Kopecks
    let price: Kopecks
    /// Half-open, in the zone of each shop.
    let from: CivilDate
    let to: CivilDate
    /// nil: all.
    let stores: [String]?
    let segment: String?

    var saving: Int64 { max(0, self.oldPrice.amount - self.price.amount) }
}

/// What a member has bought in the last 90 days, and likes.
struct Habits: Hashable, Sendable {
    /// Receipts with the product, by its number.
    var products: [String: Int64] = [:]
    /// Receipts with anything of the shelf.
    var categories: [String: Int64] = [:]
    var favourites = Favourites()
}

/// An offer with the reasons why it is shown to this member.
struct RankedOffer: Hashable, Sendable {
    enum Reason: Hashable, Sendable {
        /// So many receipts of the last 90 days have it.
        case bought(times: Int64)
        /// So many have something of the same shelf.
        case shelf(times: Int64)
        case favouriteProduct
        case favouriteCategory
        /// The biggest savings for everybody.
        case popular
    }

    let offer: Offer
    /// Kopecks a month.
    let expectedSaving: Int64
    let reasons: [Reason]
}

extension Habits {
    /// The offers in the order of what the member can expect to save in a month, a function of its input.
    ///
    /// Expected are a third of what was bought in 90 days. Who likes a product or its shelf, or buys from the shelf, can be
    /// expected to buy it once in two, in three, and in ten months for each purchase from the shelf; everybody buys
    /// anything once in twenty.
    func ranking(_ offers: [Offer], limit: Int) -> [RankedOffer] {
        offers.map(self.rank).sorted {
            ($1.expectedSaving, $1.offer.saving, $0.offer.id) < ($0.expectedSaving, $0.offer.saving, $1.offer.id)
        }.prefix(limit).map { $0 }
    }

    private func rank(_ offer: Offer) -> RankedOffer {
        var reasons: [RankedOffer.Reason] = []
        // Thousandths of purchases a month.
        var expected: Int64 = 50
        if let times = self.products[offer.sku], times > 0 {
            reasons.append(.bought(times: times))
            expected = max(expected, min(times, 1000) * 1000 / 3)
        } else if let times = self.categories[offer.category], times > 0 {
            reasons.append(.shelf(times: times))
            expected = max(expected, min(times, 1000) * 1000 / 30)
        }
        if self.favourites.products.contains(offer.sku) {
            reasons.append(.favouriteProduct)
            expected = max(expected, 500)
        }
        if self.favourites.categories.contains(offer.category) {
            reasons.append(.favouriteCategory)
            expected = max(expected, 333)
        }
        if reasons.isEmpty { reasons = [.popular] }
        // A price is at most 10^12 and the expectation below 10^6: the product fits.
        return RankedOffer(offer: offer, expectedSaving: offer.saving * expected / 1000, reasons: reasons)
    }
}
