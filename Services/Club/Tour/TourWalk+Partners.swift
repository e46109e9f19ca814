import Kernel
import Web

/// Partners of the exchange, and funds.
extension TourWalk {
    /// The partner credits what it has accepted, and tells where it does that by itself. It does so every few seconds
    /// anyway, so that it may have been quicker.
    private func credit(_ partner: DemoPartners.Partner) async throws {
        try await self.ask(.nobody, "POST", .partners, "/\(partner.rawValue)/control/credits") { _ in
            "партнёр зачисляет то, что принял"
        }
    }

    /// Nine digits of which the last is Luhn's; the last but one is not 9, which the demo's partner does not know.
    static func numberOfS7() -> String {
        let payload = Self.digits(7) + "\(Int.random(in: 0...8))"
        return payload + (CardNumber.checkDigit(of: payload).map { "\($0)" } ?? "")
    }

    /// Thirteen digits with the check digit of GS1.
    static func numberOfLetual() -> String {
        let payload = "29" + Self.digits(9) + "\(Int.random(in: 0...8))"
        let sum = payload.utf8.reversed().enumerated().reduce(0) { sum, digit in
            sum + Int(digit.element - 0x30) * (digit.offset % 2 == 0 ? 3 : 1)
        }
        return payload + "\((10 - sum % 10) % 10)"
    }

    /// Ten digits that leave 1 when they are divided by 97 (ISO/IEC 7064).
    static func numberOfTehnosila() -> String {
        let payload = Int.random(in: 10_000_000...99_999_999)
        let check = 98 - payload * 100 % 97
        return "\(payload)" + (check < 10 ? "0" : "") + "\(check)"
    }

    /// A partner that tells by itself: bonuses for a card of its own.
    func spendElsewhere() async throws {
        try await self.link("letual", Self.numberOfLetual())
        let path = try await self.exchange("letual-bonus", points: 500)
        try await self.wait(["accepted", "credited", "settled"], path)
        try await self.credit(.letual)
        try await self.wait(["settled"], path)
    }

    func privileges() async throws {
        try await self.ask(.nobody, "GET", .exchange, "/v1/privileges") { answer in
            let offers = try answer.json.list("items")
            let titles = try offers.map { "«\(try $0.string("title", "ru"))»" }
            return "особых предложений \(offers.count): \(titles.joined(separator: ", "))"
        }
    }

    /// Codes that the partner has given beforehand.
    func books() async throws {
        let path = try await self.exchange("litres-500", points: 5000)
        let settled = try await self.wait(["settled"], path).json
        try TourMiss.unless(try settled.string("code").hasPrefix("LITRES-"), "нет промокода")
        try TourMiss.unless(try settled.whole("units") == 500, "не 500 рублей")
    }

    /// The kinds of partners; the one of household appliances works by files, once a day.
    func partnersByCategory() async throws {
        let categories = [
            ("travel", "путешествия"), ("cosmetics", "косметика"), ("books", "книги"),
            ("electronics", "бытовая техника"),
        ]
        for (category, word) in categories {
            try await self.ask(.nobody, "GET", .exchange, "/v1/partners?category=\(category)") { answer in
                let titles = try answer.json.list("items").map { try $0.string("title", "ru") }
                return "\(word): \(titles.joined(separator: ", "))"
            }
        }
        try await self.link("tehnosila", Self.numberOfTehnosila())
        let path = try await self.exchange("tehnosila-bonus", points: 1000)
        try await self.wait(["accepted"], path)
        let order = path.split(separator: "/").last.map(String.init) ?? ""
        try await self.ask(
            .colleague(.partnerManager), "GET", .exchange, "/staff/v1/partners/tehnosila/orders"
        ) { answer in
            try TourMiss.unless(answer.text.contains(order), "заявки нет в файле")
            return "файл заявок для партнёра, строк \(answer.text.split(whereSeparator: \.isNewline).count)"
        }
        let line = "\(order);credited;100;T-\(Self.digits(6))"
        try await self.takeFile("order;status;units;reference\n\(line)\n", "tehnosila")
        try await self.wait(["settled"], path)
    }

    private func takeFile(_ content: String, _ partner: String) async throws {
        let day = String((SystemClock().now + .seconds(3 * 3600)).description.prefix(10))
        try await self.ask(
            .colleague(.partnerManager), "POST", .exchange, "/staff/v1/partners/\(partner)/files",
            ["day": .text(day), "content": .text(content)]
        ) { "файл партнёра за день: строк \(try $0.json.whole("lines")), новостей \(try $0.json.whole("applied"))" }
    }

    func linkNumber() async throws {
        let number = Self.numberOfS7()
        let wrong = String(number.dropLast()) + (number.last == "0" ? "1" : "0")
        try await self.ask(
            .nobody, "POST", .exchange, "/v1/partners/s7/number", ["number": .text(wrong)]
        ) { answer in
            try TourMiss.unless(answer["isValid"] == false, "неверный номер принят")
            return "\(wrong): номер неверен"
        }
        try await self.ask(
            .nobody, "POST", .exchange, "/v1/partners/s7/number", ["number": .text(number)]
        ) { answer in
            try TourMiss.unless(answer["isValid"] == true, "верный номер не принят")
            return "\(number): номер верен"
        }
        try await self.linkS7(number)
    }

    /// Her number with S7; another one in its place would have to wait.
    private func linkS7(_ number: String = TourWalk.numberOfS7()) async throws {
        let links = try await self.send(.member(self.vera), "GET", .exchange, "/v1/links")["items"]?.items ?? []
        guard !links.contains(where: { $0["partner"]?.text == "s7" }) else { return }
        try await self.link("s7", number)
    }

    func miles() async throws {
        try await self.linkS7()
        let path = try await self.exchange("s7-miles", points: 2000)
        try await self.wait(["accepted"], path)
        try await self.credit(.s7)
        let file = try await self.ask(.nobody, "GET", .partners, "/s7/file") {
            "файл партнёра, строк \($0.text.split(whereSeparator: \.isNewline).count)"
        }
        try await self.takeFile(file.text, "s7")
        let settled = try await self.wait(["settled"], path).json
        try TourMiss.unless(try settled.whole("units") == 800, "не 800 миль")
    }

    func donate() async throws {
        let vera = try self.vera
        let campaigns = try await self.ask(.nobody, "GET", .charity, "/v1/campaigns") { answer in
            let first = answer.json.items.first ?? .null
            return "«\(try first.string("title"))», фонд «\(try first.string("fund", "name"))»; на удвоение осталось "
                + Self.roubles(try first.whole("matchLeft"))
        }
        let campaign = try (campaigns.json.items.first ?? .null).string("id")
        let offered = try await self.ask(
            .member(vera), "POST", .charity, "/v1/donations", ["campaign": .text(campaign), "points": 1000], gives: 201
        ) { answer in
            let (worth, match) = (try answer.json.whole("worth"), try answer.json.whole("match"))
            try TourMiss.unless(worth == match, "не удвоено")
            return "1000 баллов = \(Self.roubles(worth)), и столько же от магазина: \(Self.roubles(match))"
        }
        let path = "/v1/donations/\(try offered.json.string("id"))"
        try await self.ask(.member(vera), "POST", .charity, "\(path)/confirm", [:]) {
            "подтверждено, отменить можно до \(try $0.json.string("undoUntil"))"
        }
        try await self.ask(.member(vera), "GET", .charity, path) { "пожертвование: \(try $0.json.string("state"))" }
        try await self.ask(.nobody, "GET", .charity, "/v1/counter") {
            "всего пожертвований \(try $0.json.whole("donations")) на \(Self.roubles(try $0.json.whole("kopecks")))"
        }
        try await self.ask(.nobody, "GET", .charity, "/v1/settlements") {
            "расчётов с фондами за прошедшие месяцы: \($0["items"]?.items.count ?? 0)"
        }
    }
}
