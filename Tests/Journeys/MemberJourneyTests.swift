import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// The story of a member, from joining to leaving: one system with its demo, whose colleagues, campaigns and partners are
/// part of it, the tills' and the members' HTTP, and `club` where an operator acts. The rows are those of the programme's list.
@Suite struct MemberJourneyTests {
    @Test func `rows 1 to 62: a member joins, buys, collects, spends, gives, asks, and leaves; the books verify`()
        async throws
    {
        // A collector that is not there disturbs nobody.
        try await TestSystem.run(demo: true, settings: ["CLUB_OTLP_ENDPOINT": "http://127.0.0.1:9"]) { system in
            let story = try await MemberStory(Programme(system))
            try await story.`row 33: joins on the web, and another phone of hers logs in`()
            try await story.`rows 4, 12, 14, 49: buys and sees points, where they came from and when they expire`()
            try await story.`rows 2, 42: picks favourites, buys again and sees what they earned`()
            try await story.`row 6: pays partly with points`()
            try await story.`row 6: returns one thing, and points go both ways`()
            try await story.`rows 44, 51: collects a coupon and shows its code, which a till takes once`()
            try await story.`row 50: collects stickers and exchanges them`()
            try await story.`rows 7, 23: exchanges 5000 points for 500 roubles of books`()
            try await story.`rows 25, 26: links a number and exchanges points for miles`()
            try await story.`row 27: donates and sees it doubled`()
            try await story.`rows 28 to 32: a certificate waits for Friday at ten in Yekaterinburg`()
            try await story.`rows 28 to 32: another is claimed at once and spent in two shops`()
            try await story.`rows 46, 56 to 60, 64: finds no answer, writes with a photo and is answered`()
            try await story.`row 11: changes the phone, and nothing goes out for three days`()
            try await story.`beside the rows: leaves, and is forgotten everywhere`()
            try await story.`the books verify`()
            try await story.`every metric of the dashboards and the alerts is measured`()
        }
    }
}

/// Who takes part, and what the steps hand on to each other.
struct MemberStory: Sendable {
    static let phone = "+79161234567"
    static let nextPhone = "+79161234568"
    static let mother = "+79161234569"

    let programme: Programme
    let partnerManager: Colleague
    let support: Colleague
    let partner: PartnerByTheSea
    /// By the member's home, and in another town.
    let till: Till
    let otherTill: Till
    let vera: Customer

    /// The member joins what colleagues have set up.
    init(_ programme: Programme) async throws {
        self.programme = programme
        self.partner = PartnerByTheSea(programme: programme)
        self.partnerManager = try await Colleague(.partnerManager, in: programme)
        self.support = try await Colleague(.support, in: programme)
        self.till = try await Till(in: "demo-1", memory: "9999078900001234", of: programme)
        self.otherTill = try await Till(in: "demo-2", memory: "9999078900005678", of: programme)
        self.vera = try await Customer.join(
            programme, phone: Self.phone, name: ["last": "Иванова", "first": "Вера", "middle": "Павловна"])
    }

    func `row 33: joins on the web, and another phone of hers logs in`() async throws {
        let me = try await self.vera.ask("GET", .auth, "/v1/me")
        #expect(me["fullName"]?["first"] == "Вера")
        #expect(me["card"]?.text == self.vera.card)
        let (code, challenge) = try await self.programme.codes(to: Self.phone) {
            try await self.programme.ask("POST", .auth, "/v1/challenges", ["phone": .text(Self.phone)], gives: 202)
        }
        let body: JSON = ["challenge": try #require(challenge["challenge"]), "code": .text(code)]
        let tokens = try await self.programme.ask("POST", .auth, "/v1/sessions", body, gives: 201)
        #expect(tokens["accessToken"]?.text != nil)
        // A code works once.
        let again = try await self.programme.ask("POST", .auth, "/v1/sessions", body, gives: 422)
        #expect(again["code"] == "code-refused")
    }

    func `the books verify`() async throws {
        let verified = try await self.programme.shell.club("ledger", "verify")
        #expect(verified.code == 0, "\(verified)")
        #expect(verified.output.isEmpty)
    }
}
