import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// Offers: all of them by category, and those that are worth most to a member.
struct OfferRoutes: Sendable {
    /// Offers that are looked at for a home page.
    private static let homeMax = 1000

    private let database: Database
    private let clock: any WallClock
    private let offers = OfferStore()
    private let profiles = ProfileStore()
    private let stores = NearbyStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    func add(to router: Router<ClubRequestContext>) {
        router.get("v1/offers") { request, _ in
            let page = try PageRequest<Offer.ID>(request)
            let place = try await self.place(request)
            let category = try request.category()
            let found = try await self.offers.valid(
                on: place.day, in: place.store, category: category, after: page.after, limit: page.limit + 1,
                in: self.database)
            let answer = try Answer.json(
                Page(found.map { OfferBody($0, offsetMinutes: place.offset) }, limit: page.limit) { $0.id })
            return answer.tagged(for: request)
        }
    }

    func addForMembers(to group: RouterGroup<ClubRequestContext>) {
        group.get("home") { request, context in
            let member = try context.requireMember().member
            return try await self.home(of: member, request).tagged(for: request)
        }
        group.get("purchases/popular") { _, context in
            let member = try context.requireMember().member
            guard try await self.profiles.isProfiled(member, in: self.database) else {
                return try Answer.json(PopularAnswer(isProfiled: false, items: []))
            }
            let found = try await self.offers.popular(with: member, at: self.clock.now, limit: 20, in: self.database)
            return try Answer.json(PopularAnswer(isProfiled: true, items: found.map(PopularAnswer.Item.init)))
        }
    }

    private func home(of member: Member.ID, _ request: Request) async throws -> Answer {
        let place = try await self.place(request)
        let now = self.clock.now
        let segments = try await self.profiles.segments(of: member, in: self.database)
        let offers = try await self.offers.valid(
            on: place.day, in: place.store, segments: segments, limit: Self.homeMax, in: self.database)
        // Who does not want to be looked at sees what is cheapest for everybody.
        let isProfiled = try await self.profiles.isProfiled(member, in: self.database)
        let month = LocalTime(now, offsetMinutes: LocalTime.moscowMinutes).date.firstOfMonth
        let habits =
            isProfiled
            ? try await self.offers.habits(
                of: member, since: now - .seconds(90 * 86_400), month: month, in: self.database) : Habits()
        let ranked = habits.ranking(offers, limit: 10)
        return try Answer.json(
            HomeAnswer(isProfiled: isProfiled, items: ranked.map { .init($0, offsetMinutes: place.offset) }))
    }

    /// The shop that is asked for, and which day it is there.
    private func place(_ request: Request) async throws -> (store: StoreID?, offset: Int64, day: CivilDate) {
        let today = LocalTime(self.clock.now, offsetMinutes: LocalTime.moscowMinutes).date
        guard let text = request.uri.queryParameters["store"] else { return (nil, LocalTime.moscowMinutes, today) }
        guard let id = StoreID(String(text)),
            let store = try await self.stores.find(id, today: today, in: self.database)
        else { throw Problem(ProblemKind.unknownStore) }
        let offset = store.hours.offsetMinutes
        return (id, offset, LocalTime(self.clock.now, offsetMinutes: offset).date)
    }
}

/// An offer as everybody sees it.
struct OfferBody: Encodable, Sendable {
    let id: Offer.ID
    let sku: String
    let category: String
    let product: String
    let title: Title
    let oldPrice: Kopecks
    let price: Kopecks
    /// Days in the shop's zone, half-open.
    let from: String
    let to: String
    /// The moment at which the offer ends in the shop that was asked for, else in Moscow.
    let endsAt: Timestamp

    init(_ offer: Offer, offsetMinutes: Int64) {
        (self.id, self.sku, self.category, self.product) = (offer.id, offer.sku, offer.category, offer.product)
        (self.title, self.oldPrice, self.price) = (offer.title, offer.oldPrice, offer.price)
        (self.from, self.to) = (offer.from.text, offer.to.text)
        self.endsAt = offer.to.start(offsetMinutes: offsetMinutes)
    }
}

struct HomeAnswer: Encodable, Sendable {
    let isProfiled: Bool
    let items: [Item]

    struct Item: Encodable, Sendable {
        let offer: OfferBody
        /// Kopecks a month.
        let expectedSaving: Int64
        let reasons: [Reason]

        init(_ ranked: RankedOffer, offsetMinutes: Int64) {
            self.offer = OfferBody(ranked.offer, offsetMinutes: offsetMinutes)
            self.expectedSaving = ranked.expectedSaving
            self.reasons = ranked.reasons.map(Reason.init)
        }
    }

    /// «Почему вы это видите».
    struct Reason: Encodable, Sendable {
        let code: String
        let text: Title

        init(_ reason: RankedOffer.Reason) {
            switch reason {
            case .bought(let times):
                self.code = "bought"
                self.text = Title(
                    russian: "Чеков с этим товаром за 90 дней: \(times)",
                    english: "Receipts with this product in 90 days: \(times)")
            case .shelf(let times):
                self.code = "shelf"
                self.text = Title(
                    russian: "Чеков с товарами этого раздела за 90 дней: \(times)",
                    english: "Receipts with products of this shelf in 90 days: \(times)")
            case .favouriteProduct:
                self.code = "favourite-product"
                self.text = Title(russian: "Товар в вашем Избранном", english: "One of your favourite products")
            case .favouriteCategory:
                self.code = "favourite-category"
                self.text = Title(russian: "Ваша любимая категория", english: "One of your favourite categories")
            case .popular:
                self.code = "popular"
                self.text = Title(russian: "Большая скидка для всех", english: "A big discount for everybody")
            }
        }
    }
}

struct PopularAnswer: Encodable, Sendable {
    let isProfiled: Bool
    let items: [Item]

    struct Item: Encodable, Sendable {
        let sku: String
        let title: String?
        let receipts: Int64
        let lastAt: Timestamp

        init(_ popular: OfferStore.Popular) {
            (self.sku, self.title) = (popular.sku, popular.title)
            (self.receipts, self.lastAt) = (popular.receipts, popular.lastAt)
        }
    }
}
