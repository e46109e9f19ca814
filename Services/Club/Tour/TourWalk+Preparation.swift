import Kernel

/// What there is before the first row: a member with points and a history. And what rows have in common.
extension TourWalk {
    static let store = "demo-1"

    /// What lies on the belt. Prices are in kopecks.
    struct Goods: Sendable {
        let sku: String
        let category: String
        let pieces: Int64
        let price: Int64

        static func milk(_ pieces: Int64) -> Goods {
            Goods(sku: "demo-101", category: "moloko-syr-ajca", pieces: pieces, price: 9490)
        }

        static func chicken(_ pieces: Int64) -> Goods {
            Goods(sku: "demo-301", category: "maso-i-ptica", pieces: pieces, price: 42_990)
        }

        static func tomatoes(_ pieces: Int64) -> Goods {
            Goods(sku: "demo-402", category: "ovosi-frukty-griby", pieces: pieces, price: 24_990)
        }
    }

    /// The member joins, buys for a wedding, and pays a little of the next purchase with points.
    func prepare(withGift: Bool) async throws {
        let vera = try await self.join(["last": "Иванова", "first": "Вера", "middle": "Павловна"])
        self.member = vera
        try await self.sell([.milk(2), .chicken(1)], to: vera)
        try await self.sell([.tomatoes(2000)], to: vera)
        try await self.wait(.member(vera), "GET", .ledger, "/v1/balance", for: "баллы за покупки") { answer in
            let points = try answer.json.whole("available", "points")
            return points == 50_041 ? "на счёте \(Self.points(points))" : nil
        }
        _ = try await self.payWithPoints(100, capturing: 100)
        if withGift { try await self.sendGift() }
    }

    // MARK: Joining

    /// Somebody with a new phone joins.
    /// - Parameters:
    ///   - card: a printed one, to be activated.
    ///   - device: what the client calls itself.
    func join(_ name: JSON, card: String? = nil, device: String = "Mozilla/5.0") async throws -> TourMember {
        let phone = Self.newPhone()
        let registration = try await self.prove(phone).json.string("registration")
        var body: [String: JSON] = [
            "registration": .text(registration), "fullName": name,
            "consents": ["terms": true, "personalData": true, "marketing": false],
        ]
        if let card {
            body["card"] = .text(card)
            body["birthday"] = "1990-05-17"
        }
        let joined = try await self.ask(
            .nobody, "POST", .auth, "/v1/registrations", .json(.object(body)), ["User-Agent": device], gives: 201
        ) { "участник, карта \(try $0.json.string("card"))" }.json
        return try TourMember(
            id: joined.string("member"), phone: phone, card: joined.string("card"),
            token: joined.string("tokens", "accessToken"))
    }

    /// Proves a phone by a code: opens a session of its member (201), or a registration (200).
    /// - Parameter request: how the code is asked for when not by the phone.
    @discardableResult
    func prove(
        _ phone: String, by request: JSON? = nil, gives status: Int = 200, device: String = "Mozilla/5.0"
    ) async throws -> ProgrammeClient.Answer {
        let known = try await self.phones.messages(to: phone).count
        let challenge = try await self.ask(
            .nobody, "POST", .auth, "/v1/challenges", request ?? ["phone": .text(phone)], gives: 202
        ) { _ in "код отправлен" }
        let code = try await self.phones.code(to: phone, after: known)
        let body: JSON = ["challenge": .text(try challenge.json.string("challenge")), "code": .text(code)]
        return try await self.ask(
            .nobody, "POST", .auth, "/v1/sessions", .json(body), ["User-Agent": device], gives: status
        ) { answer in
            "код из \(code.utf8.count) цифр подошёл" + (answer["accessToken"] == nil ? "" : ", вход выполнен")
        }
    }

    /// Has a code sent to a member's phone and confirms with it.
    /// - Parameter confirmation: where to; `{id}` is the one of the first answer.
    @discardableResult
    func confirm(
        _ member: TourMember, _ part: ServicePart, codeFrom request: (method: String, path: String, body: JSON?),
        sending: Int, confirmation: String, gives status: Int = 200,
        _ essence: (ProgrammeClient.Answer) throws -> String
    ) async throws -> ProgrammeClient.Answer {
        let known = try await self.phones.messages(to: member.phone).count
        let asked = try await self.ask(
            .member(member), request.method, part, request.path, request.body, gives: sending
        ) { _ in "код отправлен" }
        let code = try await self.phones.code(to: member.phone, after: known)
        let path = confirmation.replacing("{id}", with: asked["id"]?.text ?? "")
        return try await self.ask(
            .member(member), "POST", part, path, ["code": .text(code)], gives: status, essence)
    }

    // MARK: At the till

    func fiscal(_ document: Int64) -> JSON {
        ["fn": .text(self.memory), "fd": .number(document), "fpd": .number(document * 7919)]
    }

    static func lines(_ goods: [Goods]) -> JSON {
        .array(
            goods.enumerated().map { index, goods in
                [
                    "position": .number(Int64(index + 1)), "sku": .text(goods.sku), "category": .text(goods.category),
                    "quantity": .number(goods.pieces * 1000), "price": .number(goods.price),
                    "sum": .number(goods.pieces * goods.price),
                ]
            })
    }

    static func total(_ goods: [Goods]) -> Int64 { goods.reduce(0) { $0 + $1.pieces * $1.price } }

    /// A receipt.
    @discardableResult
    func sell(_ goods: [Goods], to member: TourMember) async throws -> ProgrammeClient.Answer {
        self.documents += 1
        let body: [String: JSON] = [
            "fiscal": self.fiscal(self.documents), "store": .text(Self.store),
            "at": .text(SystemClock().now.description), "card": .text(member.card), "lines": Self.lines(goods),
            "total": .number(Self.total(goods)),
        ]
        return try await self.ask(.till, "POST", .promotions, "/pos/v1/receipts", .object(body), gives: 201) {
            "чек на \(Self.roubles(Self.total(goods))): +\(Self.points(try $0.json.whole("points")))"
        }
    }

    /// Points are set aside by the code on her screen, and so many of them are taken.
    func payWithPoints(_ points: Int64, capturing captured: Int64) async throws -> ProgrammeClient.Answer {
        let goods = [Goods.tomatoes(2)]
        let token = try await self.ask(.member(self.vera), "POST", .auth, "/v1/me/card/token", gives: 201) { _ in
            "код на экране, годен минуту и один раз"
        }
        let placed = try await self.ask(
            .till, "POST", .promotions, "/pos/v1/authorisations",
            [
                "cardToken": .text(try token.json.string("token")), "store": .text(Self.store),
                "lines": Self.lines(goods), "total": .number(Self.total(goods)), "points": .number(points),
            ], gives: 201
        ) { "отложено: \(Self.points(try $0.json.whole("points")))" }
        let id = try placed.json.string("authorisation")
        return try await self.ask(
            .till, "POST", .promotions, "/pos/v1/authorisations/\(id)/capture", ["points": .number(captured)]
        ) { answer in
            try TourMiss.unless(answer["captured"]?.number == captured, "списано не \(captured)")
            return "списано \(captured)" + (captured < points ? ", \(points - captured) вернулись" : "")
        }
    }

    // MARK: Exchanges

    /// An exchange as far as the member takes it: a quote, and the code that confirms it.
    /// - Returns: its address.
    func exchange(_ offer: String, points: Int64) async throws -> String {
        let vera = try self.vera
        let quote = try await self.ask(
            .member(vera), "POST", .exchange, "/v1/exchanges", ["offer": .text(offer), "points": .number(points)],
            gives: 201
        ) { answer in
            let (units, unit) = try (answer.json.whole("units"), answer.json.string("unit", "ru"))
            return "\(Self.points(points)) = \(units) \(unit), курс держится десять минут"
        }
        let path = "/v1/exchanges/\(try quote.json.string("exchange"))"
        try await self.confirm(
            vera, .exchange, codeFrom: ("POST", "\(path)/code", [:]), sending: 200,
            confirmation: "\(path)/confirmation"
        ) { "подтверждено кодом, \(Self.stateOfExchange($0))" }
        return path
    }

    /// Waits until an exchange stands in one of the states.
    @discardableResult
    func wait(_ states: Set<String>, _ path: String) async throws -> ProgrammeClient.Answer {
        let vera = try self.vera
        let wanted = states.sorted().joined(separator: ", ")
        return try await self.wait(
            .member(vera), "GET", .exchange, path, for: "обмен в состоянии \(wanted)"
        ) { answer in
            let now = try answer.json.string("state")
            guard states.contains(now) else {
                // From there nothing leads on.
                let isOver = ["rejected", "reversed", "expired", "manual"].contains(now)
                try TourMiss.unless(!isOver, "обмен не состоялся: \(answer["reason"]?.text ?? now)")
                return nil
            }
            let code = answer["code"]?.text.map { ", промокод \($0)" } ?? ""
            return "\(Self.stateOfExchange(answer)), шагов \(answer["steps"]?.items.count ?? 0)\(code)"
        }
    }

    private static func stateOfExchange(_ answer: ProgrammeClient.Answer) -> String {
        switch answer["state"]?.text {
        case "reserved", "confirming": "баллы отложены"
        case "submitted": "заявка у партнёра"
        case "accepted": "партнёр принял"
        case "credited": "партнёр зачислил"
        case "settled": "зачислено и рассчитано"
        case let state: state ?? "—"
        }
    }

    /// Links her number with a partner; the same number again changes nothing.
    func link(_ partner: String, _ number: String) async throws {
        try await self.ask(
            .member(self.vera), "PUT", .exchange, "/v1/links/\(partner)",
            ["number": .text(number), "surname": "Иванова", "name": "Вера"]
        ) { "номер …\(try $0.json.string("tail")) привязан" }
    }
}
