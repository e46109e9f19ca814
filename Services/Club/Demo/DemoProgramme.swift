import FoundationEssentials
import Kernel
import Promotions
import Web

/// What colleagues have set up before members come: stickers, coupons, rules, hours, partners, codes, a fund. All of it
/// goes through HTTP, two of them where it costs the programme money. Running it again changes nothing.
struct DemoProgramme: Sendable {
    let client: ProgrammeClient
    let colleagues: DemoColleagues
    let secrets: SystemSecrets
    let now: Timestamp

    func make() async throws {
        let editor = try await self.colleagues.token(.promoEditor, self.client)
        let approver = try await self.colleagues.token(.promoApprover, self.client)
        try await self.makeStickers(approver)
        for coupon in self.coupons { try await self.make(coupon, editor, approver) }
        try await self.makeRules(editor, approver)
        for shop in DemoData.shops { try await self.setHours(of: shop.id, editor) }
        try await self.makePartners()
        try await self.makeFund()
        let sysadmin = try await self.colleagues.token(.sysadmin, self.client)
        try await self.client.require(
            "POST", .auth, "/v1/staff/card-batches",
            ["batch": "demo", "cards": .array(DemoData.printedCards.map { .text($0.digits) })], token: sysadmin,
            gives: [201])
    }

    private func moment(days: Int64) -> JSON {
        .text((self.now + .seconds(86_400 * days)).description)
    }

    // MARK: Promotions

    private func makeStickers(_ approver: String) async throws {
        let open = try await self.client.require("GET", .promotions, "/v1/sticker-campaigns")["items"]?.items ?? []
        guard !open.contains(where: { $0["campaign"]?.text == DemoData.stickers }) else { return }
        try await self.client.require(
            "PUT", .promotions, "/staff/v1/sticker-campaigns/\(DemoData.stickers)",
            ["title": ["ru": "Посуда", "en": "Tableware"], "endsAt": self.moment(days: 90)], token: approver)
    }

    private var coupons: [JSON] {
        func coupon(_ code: String, _ russian: String, _ english: String, _ more: [String: JSON]) -> JSON {
            let common: [String: JSON] = [
                "code": .text(code), "title": ["ru": .text(russian), "en": .text(english)],
                "from": self.moment(days: -1), "to": self.moment(days: 365), "daysValid": 7, "countMax": 100_000,
            ]
            return .object(common.merging(more, uniquingKeysWith: { $1 }))
        }
        return [
            coupon(
                DemoData.coupon, "Скидка 10 %", "10 % off",
                ["benefit": ["percent": 10], "memberMax": 1, "source": "claim"]),
            coupon(
                "kofe", "100 рублей на кофе от 500 рублей", "100 roubles off coffee from 500 roubles",
                ["benefit": ["kopecks": 10_000, "totalFrom": 50_000], "memberMax": 2, "source": "claim"]),
            coupon(
                DemoData.stickerCoupon, "Сковорода за 10 наклеек", "A pan for 10 stickers",
                [
                    "benefit": ["percent": 90], "memberMax": 3, "source": "stickers",
                    "stickers": ["campaign": .text(DemoData.stickers), "count": 10],
                ]),
        ]
    }

    private func make(_ coupon: JSON, _ editor: String, _ approver: String) async throws {
        let drafted = try await self.client.require(
            "POST", .promotions, "/staff/v1/coupon-campaigns", coupon, token: editor, gives: [201, 409])
        guard let campaign = drafted["campaign"]?.text else { return }
        try await self.client.require(
            "POST", .promotions, "/staff/v1/coupon-campaigns/\(campaign)/approve", token: approver, gives: [204])
    }

    /// The rules in force and two more: five times the points for favourites, and stickers.
    private func makeRules(_ editor: String, _ approver: String) async throws {
        let path = "/staff/v1/rulesets"
        let known = try await self.client.require("GET", .promotions, path, token: editor)["items"]?.items ?? []
        guard let active = known.first(where: { $0["state"]?.text == "active" })?["ruleset"]?.number,
            case .object(var document)? = try await self.client.require(
                "GET", .promotions, "\(path)/\(active)", token: editor)["document"]
        else { throw CommandFailure(.software, "promotions has no ruleset in force.") }
        let rules = document["rules"]?.items ?? []
        guard !rules.contains(where: { $0["id"]?.text == DemoData.favouritesRule }) else { return }
        document["rules"] = .array(
            rules + [
                [
                    "id": .text(DemoData.favouritesRule), "lotClass": "favourite", "lines": ["favourite": true],
                    "effect": ["earnMultiply": ["percent": 500]],
                ],
                [
                    "id": "nakleyki", "lotClass": "regular",
                    "effect": ["stickers": ["campaign": .text(DemoData.stickers), "count": 1, "kopecks": 50_000]],
                ],
            ])
        let drafted = try await self.client.require(
            "POST", .promotions, path, .object(document), token: editor, gives: [201])
        guard let ruleset = drafted["ruleset"]?.number else { return }
        try await self.client.require("POST", .promotions, "\(path)/\(ruleset)/submit", token: editor)
        try await self.client.require("POST", .promotions, "\(path)/\(ruleset)/activate", token: approver)
    }

    /// Eight to eleven at night, shorter on New Year's Eve, closed on the first of January.
    private func setHours(of shop: StoreID, _ editor: String) async throws {
        let week = (1...7).map { (weekday: Int64) -> JSON in
            ["weekday": .number(weekday), "opens": 480, "closes": 1380]
        }
        let year = CivilDate(daysSince1970: self.now.secondsSince1970 / 86_400).year
        try await self.client.require(
            "PUT", .promotions, "/staff/v1/stores/\(shop.text)/hours",
            [
                "phone": .text(DemoData.phone), "utcOffset": .number(DemoData.utcOffsets[shop.text] ?? 180),
                "schedule": .array(week),
                "exceptions": [
                    ["day": .text("\(year)-12-31"), "opens": 480, "closes": 1200], ["day": .text("\(year + 1)-01-01")],
                ],
            ], token: editor, gives: [204])
    }

    // MARK: Partners and funds

    /// Books are codes that the partner gave us; miles and bonuses are ordered from the demo's partners.
    private func makePartners() async throws {
        let manager = try await self.colleagues.token(.partnerManager, self.client)
        let codes = (1...DemoData.bookCodes).map { number -> JSON in
            .text("LITRES-7H2K-" + String(10_000 + number).suffix(4))
        }
        try await self.client.require(
            "POST", .exchange, "/staff/v1/partner-offers/litres-500/codes", ["codes": .array(codes)], token: manager)
        guard let address = self.client.address(of: .partners) else { return }
        for partner in DemoPartners.Partner.allCases {
            guard let secret = self.secrets.read(partner.secretName) else { continue }
            try await self.client.require(
                "PATCH", .exchange, "/staff/v1/partners/\(partner.rawValue)",
                ["secret": .text(secret.text)], token: manager)
            try await self.setAddress("\(address)/\(partner.rawValue)", of: partner.rawValue, manager)
        }
    }

    /// Where orders and points go two colleagues say: one asks, another agrees.
    private func setAddress(_ address: String, of partner: String, _ manager: String) async throws {
        let path = "/staff/v1/partners/\(partner)"
        let known = try await self.client.require("GET", .exchange, path, token: manager)["address"]
        guard known != .text(address) else { return }
        try await self.client.require(
            "POST", .exchange, "\(path)/address",
            ["address": .text(address), "reason": "Партнёр демонстрации"], token: manager, gives: [201, 409])
        let waiting = try await self.client.require(
            "GET", .exchange, "/staff/v1/partner-changes?state=pending&partner=\(partner)", token: manager)["items"]?
            .items
        let approver = try await self.colleagues.token(.financeApprover, self.client)
        for change in waiting ?? [] where change["kind"] == "set-address" {
            guard let id = change["change"]?.text else { continue }
            try await self.client.require(
                "POST", .exchange, "/staff/v1/partner-changes/\(id)/decision",
                ["decision": "approved", "comment": "Согласовано"], token: approver)
        }
    }

    /// A second fund with a campaign, beside the one that the programme begins with.
    private func makeFund() async throws {
        let finance = try await self.colleagues.token(.financeOperator, self.client)
        let funds = try await self.client.require("GET", .charity, "/v1/funds").json.items
        if !funds.contains(where: { $0["id"]?.text == DemoData.fund }) {
            try await self.client.require(
                "POST", .charity, "/v1/staff/funds",
                [
                    "id": .text(DemoData.fund), "name": "Тёплый дом", "nameEn": "A Warm Home",
                    "about": "Продуктовые наборы для одиноких пожилых людей.",
                    "aboutEn": "Food parcels for elderly people who live alone.",
                ], token: finance, gives: [201])
        }
        let campaigns = try await self.client.require("GET", .charity, "/v1/campaigns").json.items
        guard !campaigns.contains(where: { $0["fund"]?["id"]?.text == DemoData.fund }) else { return }
        try await self.client.require(
            "POST", .charity, "/v1/staff/campaigns",
            [
                "fund": .text(DemoData.fund), "title": "Тёплая зима", "titleEn": "A warm winter",
                "beginsAt": self.moment(days: -1), "matchBudget": 10_000_000,
            ], token: finance, gives: [201])
    }
}
