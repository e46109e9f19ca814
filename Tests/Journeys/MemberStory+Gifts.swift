import Foundation
import TestSupport
import Testing

@testable import Club

/// Certificates for somebody else.
extension MemberStory {
    func `rows 28 to 32: a certificate waits for Friday at ten in Yekaterinburg`() async throws {
        let before = try await self.vera.balance()
        let friday = try Self.fridayAtTen()
        let id = try await self.buyGift(["at": .text(friday.wall), "zone": "Asia/Yekaterinburg"])
        let scheduled = try await self.wait(for: ["scheduled"], id)
        #expect(scheduled["delivery"]?["dueAt"]?.text == friday.moment)
        #expect(scheduled["value"] == 150_000)
        #expect(scheduled["points"] == 15_000)
        // What is held is the donation, which can be undone for half an hour.
        #expect(try await self.vera.balance() == (before.available - 15_000, before.held))
        // Nobody has its code before it is delivered, and it can still be sent elsewhere.
        let readdressed = try await self.vera.ask(
            "PUT", .gifts, "/v1/certificates/\(id)/recipient",
            [
                "recipient": ["way": "email", "name": "Мама", "email": "mama@example.org"],
                "delivery": ["at": .text(friday.wall), "zone": "Asia/Vladivostok"],
            ])
        #expect(readdressed["state"] == "scheduled")
        #expect(try #require(readdressed["delivery"]?["dueAt"]?.text) < friday.moment, "ten comes earlier there")
        // The demo's system asks nobody for real roubles: below the least and above the most nothing is drafted.
        for value in [19_900, 300_100] as [JSON] {
            try await self.vera.ask("POST", .gifts, "/v1/certificates", Self.gift(value, [:]), gives: 422)
        }
    }

    func `rows 28 to 32: another is claimed at once and spent in two shops`() async throws {
        let mother = try await Customer.join(
            self.programme, phone: Self.mother, name: ["last": "Орлова", "first": "Нина"])
        let known = try await self.programme.messages(to: Self.mother).count
        let id = try await self.buyGift(["zone": "Europe/Moscow", "evenAtNight": true])
        let text = try await self.programme.message(
            to: Self.mother, after: known, saying: "http", within: .seconds(120))
        let link = try #require(text.split(separator: "/").last.map(String.init))
        let gift = try await self.programme.ask("GET", .gifts, "/v1/gifts/\(link)")
        #expect(gift["value"] == 150_000)
        #expect(gift["from"] == "Вера")
        let claimed = try await mother.ask("POST", .gifts, "/v1/certificates/claim", ["link": .text(link)])
        #expect(claimed["isHolder"] == true)
        let code = try #require(
            try await mother.ask("GET", .gifts, "/v1/certificates/\(id)/code")["code"]?.text)
        // Whoever gave it does not see the code any more.
        let giver = try await self.vera.session.send("GET", .gifts, "/v1/certificates/\(id)/code")
        #expect((400..<500).contains(giver.status), "\(giver.text)")
        #expect(try await self.spend(60_000, of: code, at: self.till)["remaining"] == 90_000)
        #expect(try await self.spend(90_000, of: code, at: self.otherTill)["remaining"] == 0)
        let used = try await mother.ask("GET", .gifts, "/v1/certificates/\(id)")
        #expect(used["state"] == "used")
    }

    /// Sets money aside at a till and takes it.
    private func spend(_ kopecks: Int64, of code: String, at till: Till) async throws -> JSON {
        let placed = try await till.ask(
            "POST", .gifts, "/pos/v1/certificates/authorisations",
            ["code": .text(code), "store": .text(till.store), "amount": .number(kopecks)], gives: 201)
        let path = "/pos/v1/certificates/authorisations/\(try #require(placed["authorisation"]?.text))/capture"
        return try await till.ask("POST", .gifts, path, [:])
    }

    /// Drafts a gift for the mother and pays for it with points.
    private func buyGift(_ delivery: JSON) async throws -> String {
        let drafted = try await self.vera.ask(
            "POST", .gifts, "/v1/certificates", Self.gift(150_000, delivery), gives: 201)
        let id = try #require(drafted["id"]?.text)
        let path = "/v1/certificates/\(id)/payment"
        _ = try await self.vera.confirm(
            .gifts, codeFrom: path, confirmation: "\(path)/confirm", phone: Self.phone, sending: 202)
        return id
    }

    private static func gift(_ value: JSON, _ delivery: JSON) -> JSON {
        [
            "value": value, "design": ["template": "birthday"], "text": "С днём рождения, мама!", "from": "Вера",
            "recipient": ["way": "phone", "name": "Мама", "phone": .text(Self.mother)], "delivery": delivery,
        ]
    }

    private func wait(for states: [JSON], _ id: String) async throws -> JSON {
        try await eventually("the certificate is \(states)") {
            let seen = try await self.vera.ask("GET", .gifts, "/v1/certificates/\(id)")
            return seen["state"].map(states.contains) == true ? seen : nil
        }
    }

    /// Next Friday at ten by the clocks of Yekaterinburg, which are five hours before UTC: on the wall, and the moment.
    private static func fridayAtTen() throws -> (wall: String, moment: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 5 * 3600))
        let friday = DateComponents(hour: 10, minute: 0, second: 0, weekday: 6)
        let moment = try #require(
            calendar.nextDate(after: Date() + 86_400, matching: friday, matchingPolicy: .nextTime))
        let parts = calendar.dateComponents([.year, .month, .day], from: moment)
        let numbers = try [#require(parts.year), #require(parts.month), #require(parts.day)]
        let wall = "\(numbers[0])-" + numbers.dropFirst().map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: "-")
        return (wall: "\(wall)T10:00", moment: moment.ISO8601Format())
    }
}
