import Foundation
import TestSupport
import Testing

@testable import Club

/// Support, another phone, and the end.
extension MemberStory {
    private static let photo = "\(WalkThroughTests.repository)/Tests/SupportTests/Fixtures/gps.jpg"

    func `rows 46, 56 to 60, 64: finds no answer, writes with a photo and is answered`() async throws {
        let found = try await self.programme.ask("GET", .support, "/v1/faq?q=\(Self.misspelt)")
        #expect(found["items"]?.items.isEmpty == false, "typing errors are understood")
        let opened = try await self.vera.ask(
            "POST", .support, "/v1/tickets",
            [
                "reason": "points-missing", "text": "Купила курицу, а баллы не вижу.", "source": "app",
                "receipt": self.till.fiscal(2),
            ], gives: 201)
        let path = "/v1/tickets/\(try #require(opened["id"]?.text))"
        let bytes = try Data(contentsOf: URL(filePath: Self.photo))
        let photo = try await self.vera.session.ask("POST", .support, "\(path)/photos", photo: bytes, gives: 201)
        let picture = try await self.programme.send("GET", .support, try #require(photo["url"]?.text))
        #expect(picture.status == 200)
        #expect(picture.body.starts(with: [0xff, 0xd8, 0xff]), "a JPEG")
        #expect(picture.body.firstRange(of: Data("Exif".utf8)) == nil, "where it was taken is nobody's business")
        let explained = try await self.message(of: "system", on: path)
        #expect(explained.contains("2145"), "what the rules gave for the receipt")
        try await self.answer(on: "/staff/v1/tickets/\(try #require(opened["id"]?.text))")
        #expect(try await self.message(of: "staff", on: path) == "Здравствуйте! Баллы уже на карте.")
        #expect(try await self.vera.ask("PUT", .support, "\(path)/rating", ["mark": 5])["satisfaction"] == 5)
    }

    /// «балы сгарают», as somebody types it in a hurry.
    private static let misspelt =
        "балы сгарают".addingPercentEncoding(withAllowedCharacters: .alphanumerics.intersection(.urlHostAllowed)) ?? ""

    private func answer(on path: String) async throws {
        let support = self.support.session
        try await support.ask("PUT", .support, "\(path)/lease")
        try await support.ask(
            "POST", .support, "\(path)/answers",
            ["text": "Здравствуйте! Баллы уже на карте.", "then": "resolved"], gives: 201)
    }

    /// The text of the first message of that author on a ticket.
    private func message(of author: JSON, on path: String) async throws -> String {
        try await eventually("a message of \(author)") {
            let messages = try await self.vera.ask("GET", .support, path)["messages"]?.items ?? []
            return messages.first { $0["author"] == author }?["text"]?.text
        }
    }

    func `row 11: changes the phone, and nothing goes out for three days`() async throws {
        let (old, new) = (Self.phone, Self.nextPhone)
        let known = try await self.programme.messages(to: old).count
        let (newCode, change) = try await self.programme.codes(to: new) {
            try await self.vera.ask("POST", .auth, "/v1/me/phone-changes", ["phone": .text(new)], gives: 202)
        }
        let oldCode = try await self.programme.code(to: old, after: known)
        let path = "/v1/me/phone-changes/\(try #require(change["id"]?.text))/confirmation"
        try await self.vera.ask(
            "POST", .auth, path, ["oldPhoneCode": .text(oldCode), "newPhoneCode": .text(newCode)], gives: 204)
        #expect(try await self.vera.ask("GET", .auth, "/v1/me")["phone"]?.text == new)
        _ = try await self.programme.message(to: old, after: known, saying: "8 800 200-95-55")
        let refused = try await self.vera.ask(
            "POST", .exchange, "/v1/exchanges", ["offer": "litres-500", "points": 5000], gives: 403)
        #expect(refused["code"] == "phone-changed")
    }

    func `beside the rows: leaves, and is forgotten everywhere`() async throws {
        let export = try await self.vera.ask("GET", .auth, "/v1/me/export")
        #expect(export["profile"]?["fullName"]?["last"] == "Иванова")
        let (code, asked) = try await self.programme.codes(to: Self.nextPhone) {
            try await self.vera.ask("POST", .auth, "/v1/me/erasures", gives: 202)
        }
        let path = "/v1/me/erasures/\(try #require(asked["id"]?.text))/confirmation"
        try await self.vera.ask("POST", .auth, path, ["code": .text(code)], gives: 204)
        let places: [(ServicePart, String)] = [
            (.auth, "/v1/me"), (.ledger, "/v1/balance"), (.promotions, "/v1/coupons"), (.exchange, "/v1/links"),
            (.charity, "/v1/donations"), (.gifts, "/v1/certificates"), (.support, "/v1/tickets"),
        ]
        for (part, path) in places {
            try await eventually("\(part) knows the session no more") {
                try await self.vera.session.send("GET", part, path).status == 401
            }
        }
        // The phone can join anew, as somebody else.
        let again = try await Customer.join(
            self.programme, phone: Self.nextPhone, name: ["last": "Смирнова", "first": "Вера"])
        #expect(again.id != self.vera.id)
        #expect(try await again.balance() == (0, 0))
    }
}
