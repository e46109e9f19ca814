import FoundationEssentials
import Kernel

/// Gift certificates.
extension TourWalk {
    /// The mother, who joins when she is first needed.
    func motherOfTheTour() async throws -> TourMember {
        if let mother { return mother }
        let joined = try await self.join(["last": "Орлова", "first": "Нина"])
        self.mother = joined
        return joined
    }

    private func gift(_ kopecks: Int64, _ more: [String: JSON] = [:]) async throws -> JSON {
        let mother = try await self.motherOfTheTour()
        let gift: [String: JSON] = [
            "value": .number(kopecks), "design": ["template": "birthday"], "text": "С днём рождения, мама!",
            "from": "Вера", "recipient": ["way": "phone", "name": "Мама", "phone": .text(mother.phone)],
        ]
        return .object(gift.merging(more, uniquingKeysWith: { $1 }))
    }

    /// Describes a gift, which costs nothing yet.
    private func draft(
        _ kopecks: Int64, _ more: [String: JSON] = [:], gives status: Int = 201
    ) async throws -> ProgrammeClient.Answer {
        let gift = try await self.gift(kopecks, more)
        return try await self.ask(.member(self.vera), "POST", .gifts, "/v1/certificates", gift, gives: status) {
            answer in
            guard status == 201 else { return "\(Self.roubles(kopecks)): \(answer.problem)" }
            let points = try answer.json.whole("points")
            return "черновик на \(Self.roubles(try answer.json.whole("value"))), стоит \(Self.points(points))"
        }
    }

    private func pay(_ id: String) async throws {
        let path = "/v1/certificates/\(id)/payment"
        try await self.confirm(
            self.vera, .gifts, codeFrom: ("POST", path, [:]), sending: 202,
            confirmation: "\(path)/confirm"
        ) { _ in "оплачено баллами" }
    }

    /// A gift that goes out at once, whatever the hour; it takes up to half a minute.
    func sendGift() async throws {
        let mother = try await self.motherOfTheTour()
        self.messagesBeforeGift = try await self.phones.messages(to: mother.phone).count
        let delivery: JSON = ["zone": "Europe/Moscow", "evenAtNight": true]
        let id = try await self.draft(150_000, ["delivery": delivery]).json.string("id")
        try await self.pay(id)
        self.gift = id
    }

    private func giftOnItsWay() async throws -> String {
        if let gift { return gift }
        try await self.sendGift()
        return try await self.giftOnItsWay()
    }

    /// Bought, delivered, claimed and spent in parts; and what is outside of 200 to 3000 roubles is refused.
    func certificate() async throws {
        for kopecks: Int64 in [19_900, 300_100] { _ = try await self.draft(kopecks, gives: 422) }
        let id = try await self.giftOnItsWay()
        let mother = try await self.motherOfTheTour()
        let text = try await self.phones.message(to: mother.phone, after: self.messagesBeforeGift, saying: "http")
        let link = text.split(separator: "/").last.map { String($0.prefix { !$0.isWhitespace }) } ?? ""
        try await self.ask(.nobody, "GET", .gifts, "/v1/gifts/\(link)") { answer in
            "по ссылке из SMS: \(Self.roubles(try answer.json.whole("value"))) от «\(try answer.json.string("from"))»"
        }
        try await self.ask(.member(mother), "POST", .gifts, "/v1/certificates/claim", ["link": .text(link)]) { answer in
            try TourMiss.unless(answer["isHolder"] == true, "не стал её")
            return "мама забрала подарок"
        }
        let shown = try await self.ask(.member(mother), "GET", .gifts, "/v1/certificates/\(id)/code") { answer in
            "код видит только она: \(try answer.json.string("code").prefix(9))…"
        }
        let code = try shown.json.string("code")
        try await self.spend(60_000, of: code)
        try await self.spend(90_000, of: code)
        try await self.ask(.member(mother), "GET", .gifts, "/v1/certificates/\(id)") { answer in
            try TourMiss.unless(try answer.json.string("state") == "used", "не использован до конца")
            return "использован"
        }
    }

    private func spend(_ kopecks: Int64, of code: String) async throws {
        let path = "/pos/v1/certificates/authorisations"
        let placed = try await self.ask(
            .till, "POST", .gifts, path,
            ["code": .text(code), "store": .text(Self.store), "amount": .number(kopecks)], gives: 201
        ) { _ in "на кассе отложено \(Self.roubles(kopecks))" }
        let id = try placed.json.string("authorisation")
        try await self.ask(.till, "POST", .gifts, "\(path)/\(id)/capture", [:]) {
            "списано, осталось \(Self.roubles(try $0.json.whole("remaining")))"
        }
    }

    func design() async throws {
        try await self.ask(.nobody, "GET", .gifts, "/v1/designs") { answer in
            let names = try answer.json.items.map { "«\(try $0.string("name"))»" }
            try TourMiss.unless(!names.isEmpty, "нет оформлений")
            return "оформления: \(names.joined(separator: ", "))"
        }
        let design: JSON = ["template": "birthday", "background": "#fff3e0", "accent": "#ef6c00"]
        let id = try await self.draft(50_000, ["design": design]).json.string("id")
        let path = "/v1/certificates/\(id)"
        try await self.ask(
            .member(self.vera), "PUT", .gifts, "\(path)/photo", .bytes(DemoPhoto.png, type: "image/png"), [:],
            gives: 204
        ) { _ in "своя фотография на открытке" }
        try await self.ask(.member(self.vera), "GET", .gifts, "\(path)/card.svg") { answer in
            try TourMiss.unless(
                answer.text.contains("<svg") && answer.text.contains("мама") && answer.text.contains("<image"),
                "на открытке нет текста или фотографии")
            return "открытка SVG с текстом и фотографией, \(answer.body.count / 1024) КиБ"
        }
    }

    func faceValue() async throws {
        _ = try await self.draft(77_700)
        _ = try await self.draft(20_050, gives: 422)
    }

    func recipient() async throws {
        let email: JSON = ["way": "email", "name": "Мама", "email": "mama@example.org"]
        let drafted = try await self.draft(50_000, ["recipient": email])
        try TourMiss.unless(try drafted.json.string("recipient", "way") == "email", "получатель не тот")
        _ = try await self.draft(50_000, ["recipient": ["way": "self", "name": "Вера"]])
        _ = try await self.draft(50_000, ["text": "Заходи на http://example.org"], gives: 422)
    }

    /// Ten in the morning next Friday where the mother is, and then elsewhere.
    func deliveryTime() async throws {
        let at = "\(Self.nextFriday())T10:00"
        let id = try await self.draft(
            20_000, ["delivery": ["at": .text(at), "zone": "Asia/Yekaterinburg"]]
        ).json.string("id")
        try await self.pay(id)
        let path = "/v1/certificates/\(id)"
        let due = try await self.wait(.member(self.vera), "GET", .gifts, path, for: "доставка назначена") { answer in
            guard answer["state"]?.text == "scheduled" else { return nil }
            let moment = try answer.json.string("delivery", "dueAt")
            try TourMiss.unless(moment.hasSuffix("T05:00:00Z"), "не в десять по Екатеринбургу")
            return "доставят \(at) по Екатеринбургу: \(moment)"
        }
        try await self.ask(
            .member(self.vera), "PUT", .gifts, "\(path)/recipient",
            [
                "recipient": ["way": "email", "name": "Мама", "email": "mama@example.org"],
                "delivery": ["at": .text(at), "zone": "Asia/Vladivostok"],
            ]
        ) { answer in
            let moment = try answer.json.string("delivery", "dueAt")
            try TourMiss.unless(try moment < due.json.string("delivery", "dueAt"), "не по новому поясу")
            return "переадресован, десять часов там наступают раньше: \(moment)"
        }
    }

    /// The first Friday from the day after tomorrow on, as services write days.
    private static func nextFriday() -> String {
        let today = SystemClock().now.secondsSince1970 / 86_400
        // 1 January 1970 was a Thursday.
        let first = today + 2
        let friday = CivilDate(daysSince1970: first + (8 - first % 7) % 7)
        func padded(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(friday.year)-\(padded(friday.month))-\(padded(friday.day))"
    }
}

/// A picture of the demo's own.
enum DemoPhoto {
    /// PNG, 32 × 32, of one colour.
    static let png = Data(base64Encoded: DemoPhoto.text) ?? Data()

    private static let text =
        "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKUlEQVR42u3NMQ0AAAgDsAnGOxamgoOk"
        + "Sf9mJ6ciEAgEAoFAIBAIvgQFdXxsTBB0siMAAAAASUVORK5CYII="
}
