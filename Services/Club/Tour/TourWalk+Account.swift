import Kernel
import Web

/// Joining, logging in, and what a member says about themselves.
extension TourWalk {
    private static let app = "Perekrestok/7.2 (Android 15)"

    // MARK: Joining

    func joinOnTheWeb() async throws {
        let anna = try await self.join(["last": "Королёва", "first": "Анна", "middle": "Ильинична"])
        try await self.ask(.member(anna), "GET", .auth, "/v1/me") { answer in
            "\(try answer.json.string("fullName", "first")), телефон \(try answer.json.string("phone")), виртуальная карта "
                + (try answer.json.string("card"))
        }
    }

    /// The colleague fills in the form, and only the caller ever sees a code.
    func joinByPhone() async throws {
        let phone = Self.newPhone()
        let name: JSON = ["last": "Гусева", "first": "Раиса"]
        try await self.ask(
            .colleague(.support), "POST", .auth, "/v1/staff/registration-drafts",
            ["fullName": name, "phone": .text(phone)], gives: 201
        ) { "анкета заполнена по телефону, ждёт до \(Self.day(try $0.json.string("expiresAt")))" }
        let offer = try await self.prove(phone).json
        try TourMiss.unless(try offer.string("draftName", "first") == "Раиса", "имени из анкеты нет")
        try await self.ask(
            .nobody, "POST", .auth, "/v1/registrations",
            [
                "registration": .text(try offer.string("registration")), "fullName": name,
                "consents": ["terms": true, "personalData": true, "marketing": false],
            ], gives: 201
        ) { "подтвердила сама, карта \(try $0.json.string("card"))" }
    }

    func joinOnPaper() async throws {
        let phone = Self.newPhone()
        let entered = try await self.ask(
            .colleague(.storeClerk), "POST", .auth, "/v1/staff/paper-forms",
            [
                "formNumber": .text("DEMO-\(Self.digits(12))"), "store": .text(Self.store),
                "fullName": ["last": "Петров", "first": "Иван", "middle": "Ильич"], "phone": .text(phone),
                "birthday": "1961-04-12", "marketing": false, "isAnotherPerson": true,
            ], gives: 201
        ) { "анкета принята, подтвердится \(Self.day(try $0.json.string("confirmAt"))); до тех пор карта только копит" }
        let ivan = TourMember(
            id: try entered.json.string("member"), phone: phone, card: try entered.json.string("card"), token: "")
        try await self.sell([.milk(1)], to: ivan)
        try await self.prove(phone, gives: 201)
    }

    func joinInTheApp() async throws {
        let oleg = try await self.join(["last": "Седов", "first": "Олег"], device: Self.app)
        try await self.ask(.member(oleg), "GET", .auth, "/v1/me/sessions") { answer in
            let device = try answer.json.list("sessions")[0].string("device")
            try TourMiss.unless(device == Self.app, "устройство не то")
            return "тот же интерфейс, устройство «\(device)»"
        }
    }

    func activateCard() async throws {
        let card = CardNumber.make(random: .system).digits
        try await self.ask(
            .colleague(.sysadmin), "POST", .auth, "/v1/staff/card-batches",
            ["batch": .text("tour-\(Self.digits(8))"), "cards": [.text(card)]], gives: 201
        ) { _ in "карта \(card) напечатана и лежит в магазине" }
        let lidia = try await self.join(["last": "Мохова", "first": "Лидия"], card: card)
        try TourMiss.unless(lidia.card == card, "активирована не та карта")
    }

    // MARK: Logging in

    func logInByPhone() async throws {
        try await self.prove(self.vera.phone, gives: 201)
    }

    /// Whether there is such a card shows neither in the answer nor in its time.
    func logInByCard() async throws {
        let vera = try self.vera
        try await self.prove(vera.phone, by: ["card": .text(vera.card)], gives: 201)
        try await self.ask(
            .nobody, "POST", .auth, "/v1/challenges", ["card": .text(CardNumber.make(random: .system).digits)],
            gives: 202
        ) { answer in
            guard case .object(let fields) = answer.json else { throw TourMiss("ответ не тот") }
            try TourMiss.unless(Set(fields.keys) == ["challenge", "expiresAt", "resendAt"], "ответ выдаёт лишнее")
            return "о чужой карте ответ тот же, телефона в нём нет"
        }
    }

    func fourDigits() async throws {
        let phone = Self.newPhone()
        let challenge = try await self.ask(
            .nobody, "POST", .auth, "/v1/challenges", ["phone": .text(phone)], gives: 202
        ) { "код отправлен, годен до \(try $0.json.string("expiresAt"))" }
        let code = try await self.phones.code(to: phone, after: 0)
        try TourMiss.unless(code.utf8.count == 4, "цифр в коде \(code.utf8.count)")
        let id = try challenge.json.string("challenge")
        try await self.ask(.nobody, "GET", .auth, "/v1/challenges/\(id)/delivery") {
            "SMS: \(try $0.json.string("state"))"
        }
        try await self.ask(
            .nobody, "POST", .auth, "/v1/sessions", ["challenge": .text(id), "code": .text(code)]
        ) { _ in "четыре цифры подошли" }
        try await self.ask(
            .nobody, "POST", .auth, "/v1/sessions", ["challenge": .text(id), "code": .text(code)], gives: 422
        ) { "второй раз нет: \($0.problem)" }
    }

    func devices() async throws {
        let vera = try self.vera
        let opened = try await self.prove(vera.phone, gives: 201, device: Self.app)
        let sessions = try await self.ask(.member(vera), "GET", .auth, "/v1/me/sessions") { answer in
            "устройств \(try answer.json.list("sessions").count): браузер и приложение видят одно и то же"
        }
        let app = TourMember(
            id: vera.id, phone: vera.phone, card: vera.card, token: try opened.json.string("accessToken"))
        try await self.ask(.member(app), "GET", .ledger, "/v1/balance") {
            "в приложении \(Self.points(try $0.json.whole("available", "points")))"
        }
        guard
            let other = try sessions.json.list("sessions").first(where: {
                $0["device"]?.text == Self.app && $0["isCurrent"] == false
            })
        else { throw TourMiss("сеанса приложения нет в списке") }
        try await self.ask(
            .member(vera), "DELETE", .auth, "/v1/me/sessions/\(try other.string("session"))", gives: 204
        ) { _ in "сеанс приложения завершён" }
    }

    // MARK: The profile

    /// A birthday is set once and corrected once, lest it be celebrated every month.
    func editProfile() async throws {
        let vera = try self.vera
        try await self.ask(
            .member(vera), "PATCH", .auth, "/v1/me", ["birthday": "1990-05-17", "favouriteStore": .text(Self.store)]
        ) { answer in
            "день рождения \(Self.day(try answer.json.string("birthday"))), магазин "
                + (try answer.json.string("favouriteStore"))
        }
        try await self.ask(.member(vera), "PATCH", .auth, "/v1/me", ["birthday": "1990-05-18"]) { _ in
            "день рождения исправлен один раз"
        }
        try await self.ask(.member(vera), "PATCH", .auth, "/v1/me", ["birthday": "1990-06-18"], gives: 409) {
            $0.problem
        }
        try await self.ask(.member(vera), "GET", .auth, "/v1/me/export") { answer in
            "журнал изменений, записей \(try answer.json.list("changes").count)"
        }
    }

    /// Advertising by SMS takes a code to that very phone; withdrawing takes nothing.
    func consents() async throws {
        let vera = try self.vera
        func wish(_ granted: Bool) -> JSON { ["purpose": "marketing", "channel": "sms", "granted": .flag(granted)] }
        func granted(_ answer: ProgrammeClient.Answer) throws -> Bool {
            try answer.json.list("consents").contains {
                $0["purpose"]?.text == "marketing" && $0["channel"]?.text == "sms" && $0["granted"] == true
            }
        }
        try await self.confirm(
            vera, .auth, codeFrom: ("POST", "/v1/me/consents", wish(true)), sending: 202,
            confirmation: "/v1/me/consents/{id}/confirmation"
        ) { answer in
            try TourMiss.unless(try granted(answer), "согласия нет")
            return "согласие на рекламу по SMS подтверждено кодом"
        }
        try await self.ask(.member(vera), "POST", .auth, "/v1/me/consents", wish(false)) { answer in
            try TourMiss.unless(try !granted(answer), "согласие осталось")
            return "и отозвано без кода"
        }
    }

    /// A code to the old phone and one to the new; then nothing goes out for three days.
    func changePhone() async throws {
        let pyotr = try await self.join(["last": "Лаптев", "first": "Пётр"])
        let phone = Self.newPhone()
        let known = try await self.phones.messages(to: pyotr.phone).count
        let change = try await self.ask(
            .member(pyotr), "POST", .auth, "/v1/me/phone-changes", ["phone": .text(phone)], gives: 202
        ) { _ in "по коду на старый и на новый телефон" }
        let newCode = try await self.phones.code(to: phone, after: 0)
        let oldCode = try await self.phones.code(to: pyotr.phone, after: known)
        try await self.ask(
            .member(pyotr), "POST", .auth, "/v1/me/phone-changes/\(try change.json.string("id"))/confirmation",
            ["oldPhoneCode": .text(oldCode), "newPhoneCode": .text(newCode)], gives: 204
        ) { _ in "телефон сменён" }
        try await self.ask(.member(pyotr), "GET", .auth, "/v1/me") { answer in
            try TourMiss.unless(try answer.json.string("phone") == phone, "телефон не тот")
            return "теперь \(phone)"
        }
        try await self.ask(
            .member(pyotr), "POST", .exchange, "/v1/exchanges", ["offer": "litres-500", "points": 5000], gives: 403
        ) { "обмен: \($0.problem)" }
    }

    func settings() async throws {
        let vera = try self.vera
        try await self.ask(.member(vera), "PATCH", .auth, "/v1/me", ["language": "ru"]) { answer in
            "язык \(try answer.json.string("language")), согласий записано \(try answer.json.list("consents").count)"
        }
        try await self.ask(.member(vera), "PUT", .auth, "/v1/me/spending-lock", gives: 204) { _ in
            "списания закрыты одной кнопкой"
        }
        try await self.confirm(
            vera, .auth, codeFrom: ("POST", "/v1/me/spending-unlocks", nil), sending: 202,
            confirmation: "/v1/me/spending-unlocks/{id}/confirmation", gives: 204
        ) { _ in "и открыты по коду" }
    }
}
