import Hummingbird
import Kernel
import Postgres
import Web

/// What members choose to like, their level, and whether what they buy is looked at.
struct FavouriteRoutes: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let choose: ChooseFavourites
    private let rulesets: Rulesets
    private let favourites = FavouriteStore()
    private let profiles = ProfileStore()

    init(database: Database, clock: any WallClock, choose: ChooseFavourites, rulesets: Rulesets) {
        (self.database, self.clock, self.choose, self.rulesets) = (database, clock, choose, rulesets)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        self.addCategories(to: group)
        self.addProducts(to: group)
        group.get("level") { _, context in
            let member = try context.requireMember().member
            return try Answer.json(LevelAnswer(try await self.profiles.level(of: member, in: self.database)))
        }
        group.get("settings/profiling") { _, context in
            let member = try context.requireMember().member
            return try Answer.json(
                ProfilingBody(isAllowed: try await self.profiles.isProfiled(member, in: self.database)))
        }
        group.put("settings/profiling") { request, context in
            let member = try context.requireMember().member
            let body = try await StrictJSON.decode(ProfilingBody.self, from: request)
            try await self.profiles.upsert(
                [.init(member: member, isAllowed: body.isAllowed, since: self.clock.now)], in: self.database)
            return try Answer.json(body)
        }
    }

    private func addCategories(to group: RouterGroup<ClubRequestContext>) {
        group.get("favourites/categories") { request, context in
            let member = try context.requireMember().member
            let month = try self.month(request.uri.queryParameters["month"].map { String($0) })
            return try Answer.json(try await self.categories(of: member, in: month))
        }
        group.put("favourites/categories") { request, context in
            let member = try context.requireMember().member
            let body = try await StrictJSON.decode(ChoiceBody.self, from: request)
            guard 1...20 ~= body.categories.count else {
                throw Problem(.invalidValue, at: "/categories", detail: "1 to 20 categories")
            }
            let month = try self.month(body.month)
            do {
                try await self.choose(Set(body.categories), for: member, in: month)
            } catch let refusal as ChooseFavourites.Refusal {
                throw Problem(refusal)
            }
            return try Answer.json(try await self.categories(of: member, in: month))
        }
    }

    private func addProducts(to group: RouterGroup<ClubRequestContext>) {
        group.get("favourites/products") { request, context in
            let member = try context.requireMember().member
            let page = try PageRequest<String>(request)
            let found = try await self.favourites.products(
                of: member, after: page.after ?? "", limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(found.map(FavouriteProductBody.init), limit: page.limit) { $0.sku })
        }
        group.put("favourites/products/:sku") { _, context in
            let member = try context.requireMember().member
            let (sku, now) = (try context.sku(), self.clock.now)
            let isAdded = try await self.database.transaction { transaction in
                try await self.favourites.add(sku, for: member, at: now, in: transaction)
            }
            guard isAdded else { throw Problem(ProblemKind.unknownProduct) }
            return Answer.empty()
        }
        group.delete("favourites/products/:sku") { _, context in
            let member = try context.requireMember().member
            try await self.favourites.remove(try context.sku(), of: member, in: self.database)
            return Answer.empty()
        }
    }

    private func categories(of member: Member.ID, in month: CivilDate) async throws -> FavouritesAnswer {
        let level = try await self.profiles.level(of: member, in: self.database)
        let ruleset = try await self.rulesets.active().ruleset
        let rules = ruleset.rules.filter { $0.lotClass == .favourite }
        let choice = try await self.favourites.choice(of: member, in: month, from: self.database)
        let earned = try await self.favourites.earned(
            by: rules.map(\.id), for: member, in: month, from: self.database)
        let window = ChooseFavourites.window(of: month)
        let begins = month.start(offsetMinutes: LocalTime.moscowMinutes)
        return FavouritesAnswer(
            month: String(month.text.prefix(7)), most: Int(level.favourites), categories: choice.categories,
            isLocked: !choice.categories.isEmpty, opensAt: window.from, closesAt: window.to,
            effectiveFrom: choice.chosenAt.map { max($0, begins) }, earned: earned,
            earnedMoney: ruleset.worth(of: earned), cap: ruleset.favouritesCap)
    }

    /// `2026-12`; without it this month.
    private func month(_ text: String?) throws(Problem) -> CivilDate {
        guard let text else {
            return LocalTime(self.clock.now, offsetMinutes: LocalTime.moscowMinutes).date.firstOfMonth
        }
        guard let month = CivilDate(text: text + "-01") else {
            throw Problem(.invalidValue, detail: "month is written as 2026-12")
        }
        return month
    }
}

extension ClubRequestContext {
    /// A product's number out of the path.
    fileprivate func sku() throws(Problem) -> String {
        guard let sku = self.parameters.get("sku"), 1...ReceiptLimits.textBytesMax ~= sku.utf8.count,
            sku.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw Problem(ProblemKind.unknownProduct) }
        return sku
    }
}

struct ChoiceBody: Decodable, Sendable {
    let categories: [String]
    let month: String?
}

struct ProfilingBody: Codable, Sendable {
    let isAllowed: Bool
}

struct FavouritesAnswer: Encodable, Sendable {
    let month: String
    /// How many categories the member's level has.
    let most: Int
    let categories: [String]
    /// They are chosen, and stay for the month.
    let isLocked: Bool
    /// When they can be chosen.
    let opensAt: Timestamp
    let closesAt: Timestamp
    /// Sales from then on count; nil while nothing is chosen.
    let effectiveFrom: Timestamp?
    /// What the favourites have earned in the month, and what that is worth at the till.
    let earned: Points
    let earnedMoney: Kopecks
    /// The most points of a month; nil when the rules set none.
    let cap: Points?
}

struct FavouriteProductBody: Encodable, Sendable {
    let sku: String
    let title: String
    let price: Kopecks?
    let oldPrice: Kopecks?
    let addedAt: Timestamp

    init(_ product: FavouriteStore.Product) {
        (self.sku, self.title, self.addedAt) = (product.sku, product.title, product.addedAt)
        (self.price, self.oldPrice) = (product.price, product.oldPrice)
    }
}

struct LevelAnswer: Encodable, Sendable {
    let level: String
    let title: Title
    let favourites: Int
    /// The month that decided it; nil for who was never judged.
    let month: String?
    let turnover: Kopecks

    init(_ level: ProfileStore.Level) {
        (self.level, self.title, self.favourites) = (level.name, level.title, Int(level.favourites))
        self.month = level.month.map { String($0.text.prefix(7)) }
        self.turnover = level.turnover
    }
}

extension Problem {
    fileprivate init(_ refusal: ChooseFavourites.Refusal) {
        switch refusal {
        case .chosen: self.init(ProblemKind.favouritesChosen)
        case .tooMany(let most):
            self.init(
                ProblemKind.tooManyFavourites,
                violations: [Violation(pointer: "/categories", code: ProblemKind.tooManyFavourites.code)],
                extensions: ["limit": .integer(Int64(most))])
        case .unknownCategory: self.init(ProblemKind.unknownCategory, at: "/categories")
        case .wrongMonth: self.init(ProblemKind.wrongMonth, at: "/month")
        case .notOpen: self.init(ProblemKind.selectionNotOpen, at: "/month")
        }
    }
}
