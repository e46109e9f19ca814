import Kernel

/// Points: what there is, where it came from, when it goes.
extension TourWalk {
    func lastOperations() async throws {
        try await self.ask(.member(self.vera), "GET", .ledger, "/v1/feed?limit=10") { answer in
            let items = try answer.json.list("items")
            guard let earned = items.first(where: { $0["kind"]?.text == "earn" }),
                let movement = try earned.list("movements").first
            else { throw TourMiss("в ленте нет начисления") }
            _ = try earned.string("receipt", "id")
            _ = try movement.whole("lot", "number")
            let kinds = Set(try items.map { try $0.string("kind") }).compactMap { Self.kinds[$0] }.sorted()
            return "операций \(items.count) (\(kinds.joined(separator: ", "))); начислено "
                + "\(Self.points(try earned.whole("amount", "points"))) за чек на "
                + "\(Self.roubles(try earned.whole("receipt", "totalKopecks"))) по правилу "
                + "«\(try movement.string("rule"))», стало \(try earned.whole("availableAfter", "points"))"
        }
    }

    /// What stands in the feed, beside one another.
    private static let kinds = [
        "earn": "начисления", "hold": "отложено", "capture": "списания", "void": "возвраты", "settle": "расчёты",
        "sticker": "наклейки", "certificate": "сертификаты", "expire": "сгорание",
    ]

    func history() async throws {
        let vera = try self.vera
        try await self.ask(.member(vera), "GET", .ledger, "/v1/feed?kind=earn&limit=1") { answer in
            let item = try answer.json.list("items").first ?? .null
            _ = try answer.json.string("next")
            return
                "случилось \(Self.day(try item.string("effectiveAt"))), узнали \(Self.day(try item.string("recordedAt")))"
                + ", дальше есть следующая страница"
        }
        try await self.ask(.member(vera), "GET", .ledger, "/v1/statement?format=csv") { answer in
            let lines = answer.text.split(whereSeparator: \.isNewline).count
            try TourMiss.unless(lines > 2, "в выписке нет строк")
            return "выписка CSV, строк \(lines)"
        }
        try await self.ask(.member(vera), "GET", .ledger, "/v1/statement?format=pdf") { answer in
            try TourMiss.unless(answer.text.hasPrefix("%PDF"), "это не PDF")
            return "выписка PDF, \(answer.body.count / 1024) КиБ"
        }
    }

    func balance() async throws {
        let vera = try self.vera
        let balance = try await self.ask(.member(vera), "GET", .ledger, "/v1/balance") { answer in
            let balance = answer.json
            return "доступно \(try balance.whole("available", "points")), ожидается "
                + "\(try balance.whole("pending", "points")), отложено \(try balance.whole("held", "points")), долг "
                + "\(try balance.whole("debt", "points")); сгорят первыми "
                + "\(Self.points(try balance.whole("expiringNext", "amount", "points"))) "
                + Self.day(try balance.string("expiringNext", "expiresAt"))
        }
        try await self.ask(.member(vera), "GET", .ledger, "/v1/lots") { answer in
            let total = try answer.json.whole("total", "points")
            try TourMiss.unless(try total == balance.json.whole("available", "points"), "сумма партий не та")
            return "по партиям выходит столько же: \(total)"
        }
    }

    func payInTheShop() async throws {
        _ = try await self.payWithPoints(1000, capturing: 600)
        // A card's number alone spends nothing.
        let goods = [Goods.tomatoes(2)]
        try await self.ask(
            .till, "POST", .promotions, "/pos/v1/authorisations",
            [
                "cardToken": .text(self.vera.card), "store": .text(Self.store), "lines": Self.lines(goods),
                "total": .number(Self.total(goods)), "points": 100,
            ], gives: 422
        ) { "по номеру карты не списать: \($0.problem)" }
    }

    func incoming() async throws {
        try await self.ask(.member(self.vera), "GET", .ledger, "/v1/feed?direction=in") { answer in
            let items = try answer.json.list("items")
            try TourMiss.unless(items.allSatisfy { $0["direction"]?.text == "in" }, "в поступлениях есть списание")
            return "поступлений \(items.count), последнее: +\(try items[0].whole("amount", "points"))"
        }
    }

    /// Each line has its way into a dispute.
    func outgoing() async throws {
        let vera = try self.vera
        let feed = try await self.ask(.member(vera), "GET", .ledger, "/v1/feed?direction=out") { answer in
            let items = try answer.json.list("items")
            try TourMiss.unless(items.allSatisfy { $0["direction"]?.text == "out" }, "в списаниях есть поступление")
            return "списаний \(items.count), последнее: \(try items[0].whole("amount", "points"))"
        }
        let operation = try feed.json.list("items")[0].string("id")
        try await self.ask(
            .member(vera), "POST", .support, "/v1/tickets",
            ["reason": "points-spent", "text": "Это была не я.", "operation": .text(operation), "source": "app"],
            gives: 201
        ) { "оспорить: обращение № \(try $0.json.whole("number")) «\(try $0.json.string("subject"))»" }
    }

    func expiryCalendar() async throws {
        try await self.ask(.member(self.vera), "GET", .ledger, "/v1/lots") { answer in
            let days = try answer.json.list("days")
            let sum = try days.reduce(0) { $0 + (try $1.whole("amount", "points")) }
            try TourMiss.unless(try sum == answer.json.whole("total", "points"), "дни не дают итога")
            let shown = try days.prefix(3).map { day in
                "\(Self.day(try day.string("expiresAt"))): \(try day.whole("amount", "points"))"
            }
            return "сгорание по дням: \(shown.joined(separator: ", ")); итого \(sum)"
        }
    }

    /// The app's pushes go to her phone, and the balance follows the receipt.
    func watchBalance() async throws {
        let vera = try self.vera
        try await self.ask(
            .member(vera), "PUT", .auth, "/v1/me/device", ["platform": "android", "token": .text(Self.digits(24))],
            gives: 204
        ) { _ in "push-сообщения придут на это устройство" }
        let before = try await self.send(.member(vera), "GET", .ledger, "/v1/balance").json.whole("available", "points")
        try await self.sell([.milk(2)], to: vera)
        let start = ContinuousClock.now
        try await self.wait(.member(vera), "GET", .ledger, "/v1/balance", for: "баллы за чек") { answer in
            let points = try answer.json.whole("available", "points")
            guard points > before else { return nil }
            let time = (ContinuousClock.now - start).components
            let tenths = time.seconds * 10 + time.attoseconds / 100_000_000_000_000_000
            return "стало \(points), видно через \(tenths / 10),\(tenths % 10) с после чека"
        }
    }

    func seePoints() async throws {
        try await self.ask(.member(self.vera), "GET", .ledger, "/v1/balance") {
            "на карте \(Self.points(try $0.json.whole("available", "points")))"
        }
    }
}
