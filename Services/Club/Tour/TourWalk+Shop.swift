import FoundationEssentials
import Kernel

/// Offers, shops, favourites, lists, coupons and stickers.
extension TourWalk {
    // MARK: Offers

    func popular() async throws {
        let vera = try self.vera
        try await self.ask(.member(vera), "GET", .promotions, "/v1/purchases/popular") { answer in
            let items = try answer.json.list("items")
            return "чаще всего: \(try items.prefix(3).map { "«\(try $0.string("title"))»" }.joined(separator: ", "))"
        }
        for isAllowed in [false, true] {
            try await self.ask(
                .member(vera), "PUT", .promotions, "/v1/settings/profiling", ["isAllowed": .flag(isAllowed)]
            ) { _ in isAllowed ? "и снова разрешён" : "разбор покупок можно запретить" }
        }
    }

    private func offers(
        _ query: String = "", _ essence: (JSON, Int) throws -> String
    ) async throws {
        try await self.ask(.nobody, "GET", .promotions, "/v1/offers\(query)") { answer in
            let items = try answer.json.list("items")
            return try essence(items[0], items.count)
        }
    }

    private static func price(_ offer: JSON) throws -> String {
        "«\(try offer.string("product"))» \(Self.roubles(try offer.whole("price"))) вместо "
            + Self.roubles(try offer.whole("oldPrice"))
    }

    func offersOfTheShop() async throws {
        try await self.offers { "акций \($1), первая: \(try Self.price($0))" }
        try await self.offers("?store=\(Self.store)") { "из них в магазине у дома \($1)" }
    }

    func homePage() async throws {
        try await self.ask(.member(self.vera), "GET", .promotions, "/v1/home") { answer in
            let best = try answer.json.list("items")[0]
            guard let offer = best["offer"] else { throw TourMiss("на главной нет акции") }
            let reason = try best.list("reasons")[0].string("text", "ru")
            return "выгоднее всего \(try Self.price(offer)); почему: \(reason)"
        }
    }

    func allOffers() async throws {
        let first = try await self.ask(.nobody, "GET", .promotions, "/v1/offers?limit=2") { answer in
            _ = try answer.json.string("next")
            return "страница из \(try answer.json.list("items").count), есть следующая"
        }
        let cursor = Self.query(try first.json.string("next"))
        try await self.ask(.nobody, "GET", .promotions, "/v1/offers?limit=2&cursor=\(cursor)") {
            "ещё \(try $0.json.list("items").count)"
        }
        guard let tag = first.headers["etag"] else { throw TourMiss("у списка нет ETag") }
        try await self.ask(
            .nobody, "GET", .promotions, "/v1/offers?limit=2", nil, ["If-None-Match": tag], gives: 304
        ) { _ in "с тех пор не менялся" }
    }

    func offersByCategory() async throws {
        try await self.offers("?category=maso-i-ptica") { offer, count in
            try TourMiss.unless(try offer.string("category") == "maso-i-ptica", "акция не из категории")
            return "«Мясо и птица»: \(count), \(try Self.price(offer))"
        }
        try await self.ask(.nobody, "GET", .promotions, "/v1/catalogue?category=maso-i-ptica") { answer in
            let items = try answer.json.list("items")
            return "товаров на этой полке \(items.count), полка «\(try items[0].string("category", "title"))»"
        }
    }

    func bothPrices() async throws {
        try await self.offers { offer, _ in
            try TourMiss.unless(try offer.whole("price") < offer.whole("oldPrice"), "новая цена не ниже")
            return try Self.price(offer)
        }
    }

    func validity() async throws {
        try await self.offers { offer, _ in
            "с \(Self.day(try offer.string("from"))) до \(Self.day(try offer.string("to"))), кончается в полночь по часам "
                + "магазина: \(try offer.string("endsAt"))"
        }
    }

    func latestOffers() async throws {
        let vera = try self.vera
        try await self.ask(
            .member(vera), "POST", .auth, "/v1/me/consents",
            ["purpose": "marketing", "channel": "push", "granted": true]
        ) { _ in "согласие на push об акциях записано" }
        try await self.offers { "акций сейчас \($1); \(try Self.price($0)), с \(Self.day(try $0.string("from")))" }
    }

    // MARK: Shops

    func shopsOnTheMap() async throws {
        try await self.ask(.nobody, "GET", .promotions, "/v1/stores.geojson") { answer in
            let places = try answer.json.list("features")
            try TourMiss.unless(answer.headers["content-type"] == "application/geo+json", "это не GeoJSON")
            return "магазинов на карте \(places.count), например «\(try places[0].string("properties", "title"))»"
        }
    }

    private func shop(_ essence: (JSON) throws -> String) async throws {
        try await self.ask(.nobody, "GET", .promotions, "/v1/stores/\(Self.store)") { try essence($0.json) }
    }

    func openingHours() async throws {
        try await self.shop { shop in
            let monday = try shop.list("schedule")[0]
            guard case .flag(let isOpen)? = shop["isOpen"] else { throw TourMiss("неизвестно, открыт ли магазин") }
            let (opens, closes) = (try monday.whole("opens") / 60, try monday.whole("closes") / 60)
            // Days with hours of their own are told when they are near.
            let others = shop["exceptions"]?.items.count ?? 0
            return
                "по понедельникам \(opens):00–\(closes):00, сейчас \(isOpen ? "открыт" : "закрыт"); особых дней рядом: "
                + "\(others)"
        }
    }

    func contacts() async throws {
        try await self.shop { shop in
            try TourMiss.unless(try shop.string("phone") == DemoData.phone, "телефон не тот")
            return "\(try shop.string("city")), \(try shop.string("address")), тел. \(try shop.string("phone"))"
        }
    }

    func nearestShops() async throws {
        try await self.ask(
            .nobody, "POST", .promotions, "/v1/stores/nearest",
            ["latitude": .decimal(55.75), "longitude": .decimal(37.62), "limit": 3]
        ) { answer in
            let shops = try answer.json.list("items")
            let distances = try shops.map { try $0.whole("distance") }
            try TourMiss.unless(distances == distances.sorted(), "не по расстоянию")
            return "ближайший «\(try shops[0].string("title"))», \(distances[0]) м; координаты нигде не остаются"
        }
    }

    // MARK: Favourites and lists

    func favouriteCategories() async throws {
        let vera = try self.vera
        let path = "/v1/favourites/categories"
        try await self.ask(
            .member(vera), "PUT", .promotions, path, ["categories": ["maso-i-ptica"]]
        ) { "любимая категория на \(try $0.json.string("month")), можно до \(try $0.json.whole("most"))" }
        try await self.ask(
            .member(vera), "PUT", .promotions, path, ["categories": ["hleb-i-vypecka"]], gives: 409
        ) { "в этом месяце уже не сменить: \($0.problem)" }
        try await self.sell([.chicken(1)], to: vera)
        try await self.wait(.member(vera), "GET", .promotions, path, for: "баллы за любимое") { answer in
            let earned = try answer.json.whole("earned")
            return earned > 0 ? "любимые товары принесли \(Self.points(earned)) сверх обычных" : nil
        }
    }

    func favouriteProducts() async throws {
        let vera = try self.vera
        try await self.ask(
            .member(vera), "PUT", .promotions, "/v1/favourites/products/demo-501", gives: 204
        ) { _ in "в «Избранном»; о снижении цены придёт сообщение" }
        try await self.ask(.member(vera), "GET", .promotions, "/v1/favourites/products") { answer in
            let item = try answer.json.list("items")[0]
            return "«\(try item.string("title"))», \(Self.roubles(try item.whole("price")))"
        }
    }

    func shoppingList() async throws {
        let (vera, mother) = (try self.vera, try await self.motherOfTheTour())
        let (list, milk) = (UUID().uuidString.lowercased(), UUID().uuidString.lowercased())
        try await self.ask(
            .member(vera), "PUT", .promotions, "/v1/lists/\(list)", ["title": "На выходные"]
        ) { "список «\(try $0.json.string("title"))»" }
        func change(isDone: Bool) -> JSON {
            let at = SystemClock().now.description
            return [
                "since": 0,
                "items": [
                    [
                        "item": .text(milk), "text": "Молоко", "isDone": .flag(isDone), "isDeleted": false,
                        "changedAt": .text(at),
                    ]
                ],
            ]
        }
        try await self.ask(
            .member(vera), "POST", .promotions, "/v1/lists/\(list)/changes", change(isDone: false)
        ) { answer in
            let item = try answer.json.list("items")[0]
            return "«\(try item.string("text"))», подходящих акций \(item["offers"]?.items.count ?? 0)"
        }
        let invitation = try await self.ask(
            .member(vera), "POST", .promotions, "/v1/lists/\(list)/invitations", gives: 201
        ) { _ in "код приглашения для семьи" }
        try await self.ask(
            .member(mother), "POST", .promotions, "/v1/list-joins",
            ["code": .text(try invitation.json.string("code"))]
        ) { _ in "мама присоединилась" }
        try await self.ask(
            .member(mother), "POST", .promotions, "/v1/lists/\(list)/changes", change(isDone: true)
        ) { answer in
            try TourMiss.unless(try answer.json.list("items")[0]["isDone"] == true, "не отмечено")
            return "и отметила «Молоко»: куплено"
        }
    }

    // MARK: Coupons and stickers

    private func campaign(_ code: String) async throws -> String {
        let campaigns = try await self.ask(.nobody, "GET", .promotions, "/v1/coupon-campaigns") { answer in
            let titles = try answer.json.list("items").map { try $0.string("title", "ru") }
            return "купоны: \(titles.joined(separator: "; "))"
        }
        guard let found = try campaigns.json.list("items").first(where: { $0["code"]?.text == code }) else {
            throw TourMiss("нет купонов «\(code)»")
        }
        return try found.string("id")
    }

    /// Takes the coupon, once for the tour.
    private func takeCoupon() async throws -> String {
        if let coupon { return coupon }
        let path = "/v1/coupon-campaigns/\(try await self.campaign(DemoData.coupon))/coupons"
        let taken = try await self.ask(.member(self.vera), "POST", .promotions, path, gives: 201) { answer in
            "«\(try answer.json.string("title", "ru"))», до \(Self.day(try answer.json.string("expiresAt")))"
        }
        let id = try taken.json.string("id")
        self.coupon = id
        try await self.ask(.member(self.vera), "POST", .promotions, path, gives: 409) { $0.problem }
        return id
    }

    func collectCoupons() async throws {
        _ = try await self.takeCoupon()
        try await self.ask(.member(self.vera), "GET", .promotions, "/v1/coupons") {
            "своих купонов \(try $0.json.list("items").count)"
        }
    }

    func showCoupon() async throws {
        let path = "/v1/coupons/\(try await self.takeCoupon())/token"
        let shown = try await self.ask(.member(self.vera), "POST", .promotions, path) { answer in
            let token = try answer.json.string("token")
            try TourMiss.unless(token.hasPrefix("PK1."), "код не того вида")
            return "QR-код на минуту: \(token.prefix(24))…"
        }
        let redemption: JSON = ["token": .text(try shown.json.string("token")), "store": .text(Self.store)]
        try await self.ask(
            .till, "POST", .promotions, "/pos/v1/coupons/redemptions", redemption, gives: 201
        ) { "касса приняла: «\(try $0.json.string("title", "ru"))»" }
        try await self.ask(
            .till, "POST", .promotions, "/pos/v1/coupons/redemptions", redemption, gives: 409
        ) { "второй раз нет: \($0.problem)" }
    }

    func stickers() async throws {
        try await self.ask(.nobody, "GET", .promotions, "/v1/sticker-campaigns") { answer in
            let campaign = try answer.json.list("items")[0]
            return "наклейки «\(try campaign.string("title", "ru"))», до \(Self.day(try campaign.string("endsAt")))"
        }
        let path = "/v1/coupon-campaigns/\(try await self.campaign(DemoData.stickerCoupon))/exchanges"
        // The books hear of the receipts a moment later than she does.
        try await self.wait(.member(self.vera), "POST", .promotions, path, for: "десять наклеек") { answer in
            "обменяны: «\(try answer.json.string("title", "ru"))»"
        }
    }
}
