import Crypto
import FoundationEssentials
import Kernel
import Web

/// Questions, tickets, calls.
extension TourWalk {
    /// The ticket of the tour: a shop, an address for the answer, a text.
    private func openTicket() async throws -> String {
        if let ticket { return "/v1/tickets/\(ticket)" }
        let opened = try await self.ask(
            .member(self.vera), "POST", .support, "/v1/tickets",
            [
                "reason": "quality", "text": "В томатах из чека нашла улитку.", "email": "vera@example.org",
                "store": .text(Self.store), "receipt": self.fiscal(2), "source": "app",
            ], gives: 201
        ) { answer in
            "обращение № \(try answer.json.whole("number")) «\(try answer.json.string("subject"))», ответят до "
                + "\(Self.day(try answer.json.string("firstResponseDue")))"
        }
        let id = try opened.json.string("id")
        self.ticket = id
        return "/v1/tickets/\(id)"
    }

    /// What the member sees of the ticket.
    private func seeTicket(_ essence: (JSON) throws -> String) async throws {
        let path = try await self.openTicket()
        try await self.ask(.member(self.vera), "GET", .support, path) { try essence($0.json) }
    }

    func talkToSupport() async throws {
        let path = try await self.openTicket()
        try await self.ask(
            .member(self.vera), "POST", .support, "\(path)/messages", ["text": "Улитка живая."], gives: 201
        ) { _ in "написала ещё" }
        try await self.ask(.colleague(.support), "PUT", .support, "/staff\(path)/lease") { _ in
            "сотрудник взял в работу"
        }
        try await self.ask(
            .colleague(.support), "POST", .support, "/staff\(path)/answers",
            ["text": "Здравствуйте! Вернём деньги за томаты. Улитку можно оставить."], gives: 201
        ) { "ответил, состояние \(try $0.json.string("ticket", "state"))" }
        try await self.ask(.colleague(.support), "DELETE", .support, "/staff\(path)/lease", gives: 204) { _ in
            "и отложил"
        }
        try await self.seeTicket { ticket in
            let messages = try ticket.list("messages")
            try TourMiss.unless(messages.contains { $0["author"]?.text == "staff" }, "ответа нет в переписке")
            return "в переписке сообщений \(messages.count)"
        }
    }

    func reasons() async throws {
        try await self.ask(.nobody, "GET", .support, "/v1/reasons") { answer in
            let groups = try answer.json.list("items")
            let titles = try groups.map { try $0.string("title", "ru") }
            let first = try groups[0].list("reasons")[0]
            return "\(titles.joined(separator: ", ")); «\(try first.string("title", "ru"))»: ответ за "
                + "\(try first.whole("targets", "firstResponseMinutes")) мин"
        }
    }

    func addressForTheAnswer() async throws {
        try await self.ask(
            .member(self.vera), "POST", .support, "/v1/tickets",
            ["reason": "other", "text": "Вопрос", "email": "не почта"], gives: 400
        ) { "«не почта»: \($0.problem)" }
        let path = try await self.openTicket()
        try await self.ask(.colleague(.support), "GET", .support, "/staff\(path)") { answer in
            "почта для ответа в обращении \(try answer.json.whole("summary", "ticket", "number")): "
                + (answer.text.contains("vera@example.org") ? "vera@example.org" : "есть, сотруднику не видна")
        }
    }

    func photo() async throws {
        let path = try await self.openTicket()
        let photo = try await self.ask(
            .member(self.vera), "POST", .support, "\(path)/photos", .bytes(DemoPhoto.png, type: "image/png"), [:],
            gives: 201
        ) { "фотография \(try $0.json.whole("width"))×\(try $0.json.whole("height"))" }
        try await self.ask(.nobody, "GET", .support, try photo.json.string("url")) { answer in
            try TourMiss.unless(answer.headers["x-content-type-options"] == "nosniff", "браузер мог бы её выполнить")
            return "по подписанной ссылке на пять минут, \(answer.body.count) байт"
        }
    }

    func shopOfTheTicket() async throws {
        try await self.seeTicket { "магазин \(try $0.string("store")), чек \(try $0.whole("receipt", "fd"))" }
    }

    func textOfTheTicket() async throws {
        try await self.seeTicket { "«\(try $0.list("messages")[0].string("text"))»" }
    }

    func call() async throws {
        let path = try await self.openTicket()
        try await self.ask(
            .colleague(.support), "POST", .support, "/staff\(path)/calls",
            ["text": "Позвонила на 8 800 200-95-55: улитка сбежала."], gives: 201
        ) { "звонок записан в обращение № \(try $0.json.whole("ticket", "number"))" }
        try await self.seeTicket { ticket in
            "последнее в переписке: «\(try (ticket.list("messages").last ?? .null).string("text"))»"
        }
    }

    /// The form of the site: no login, but a puzzle for the browser.
    func openForm() async throws {
        let puzzle = try await self.ask(.nobody, "POST", .support, "/v1/proof-challenges", gives: 201) {
            "задача для браузера, нулевых бит \(try $0.json.whole("bits"))"
        }
        let challenge = try puzzle.json.string("challenge")
        let solution = try await Self.solve(challenge, bits: try puzzle.json.whole("bits"))
        let opened = try await self.ask(
            .nobody, "POST", .support, "/v1/open-tickets",
            [
                "reason": "other", "text": "Когда откроется магазин на Полянке?", "email": "gost@example.org",
                "proof": ["challenge": .text(challenge), "solution": .text(solution)],
            ], gives: 201
        ) { "обращение № \(try $0.json.whole("ticket", "number")) без входа, с ключом для чтения" }
        try await self.ask(
            .nobody, "GET", .support, "/v1/open-tickets/\(try opened.json.string("key"))"
        ) { "читается по ключу: «\(try $0.json.list("messages")[0].string("text"))»" }
    }

    /// A number that, behind the challenge and a colon, has a SHA-256 that begins with so many zero bits.
    private static func solve(_ challenge: String, bits: Int64) async throws -> String {
        var number = 0
        while true {
            var zeros = 0
            for byte in SHA256.hash(data: Data("\(challenge):\(number)".utf8)) {
                zeros += byte.leadingZeroBitCount
                if byte != 0 { break }
            }
            if zeros >= Int(bits) { return "\(number)" }
            number += 1
            // Others wait for this thread.
            if number % 10_000 == 0 {
                await Task.yield()
                try Task.checkCancellation()
            }
        }
    }

    func consultant() async throws {
        let vera = try self.vera
        let found = try await self.ask(
            .colleague(.support), "POST", .auth, "/v1/staff/member-lookups",
            ["phone": .text(vera.phone), "reason": "звонок, вопрос о баллах"]
        ) { answer in
            let phone = try answer.json.string("phone")
            try TourMiss.unless(phone != vera.phone, "телефон не закрыт")
            return "консультант видит: \(try answer.json.string("name")), \(phone), карта …"
                + (try answer.json.string("cardEnd"))
        }
        try await self.ask(
            .colleague(.support), "POST", .support, "/staff/v1/tickets",
            [
                "reason": "card-lost", "text": "Потеряла карту в метро",
                "member": .text(try found.json.string("member")),
            ], gives: 201
        ) { "звонок записан: № \(try $0.json.whole("ticket", "number")) «\(try $0.json.string("ticket", "subject"))»" }
        try await self.ask(.colleague(.auditor), "GET", .auth, "/v1/staff/access-log?limit=1") { answer in
            let entry = try answer.json.list("items")[0]
            return "и кто смотрел, записано: \(try entry.string("login")), «\(try entry.string("reason"))»"
        }
    }

    /// Typing errors are understood.
    func questionsAndAnswers() async throws {
        let query = Self.query("балы сгарают")
        let found = try await self.ask(.nobody, "GET", .support, "/v1/faq?q=\(query)") { answer in
            let best = try answer.json.list("items")[0]
            return "«балы сгарают»: \(try best.string("question", "ru")) — \(try best.string("answer", "ru"))"
        }
        let article = try found.json.list("items")[0].string("id")
        try await self.ask(
            .nobody, "POST", .support, "/v1/faq/\(article)/votes", ["helped": true], gives: 204
        ) { _ in "помогло" }
    }

    func apps() async throws {
        try await self.ask(.nobody, "GET", .support, "/v1/apps") { answer in
            let apps = try answer.json.list("items").map { "\(try $0.string("title")): \(try $0.string("url"))" }
            return apps.joined(separator: "; ")
        }
    }
}
