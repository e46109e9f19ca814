import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The page of recipes is what the books say when its examples are played: checked in, and compared here. With
/// CLUB_RECORD_PAGES=1 in the environment it is written anew.
@Suite(.ledger) struct RecipePageTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Services/Ledger/docs/Recipes.md")

    @Test func `the page of recipes says what the books do`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-03-02T09:00:00Z"))))
        try await books.openPurposes()
        var story = Storyteller(books)
        try await Self.earning(&story)
        try await Self.spending(&story)
        try await Self.returning(&story)
        try await Self.correcting(&story)
        try await Self.money(&story)
        let text = Self.head + (try await story.chart()) + story.text
        #expect(try await books.findings().isEmpty)
        if ProcessInfo.processInfo.environment["CLUB_RECORD_PAGES"] == "1" {
            try Data(text.utf8).write(to: Self.page)
        }
        #expect(String(decoding: try Data(contentsOf: Self.page), as: UTF8.self) == text)
    }

    private static let head = """
        # Recipes

        What each operation posts. A posting moves one amount of one asset from the account debited to the account
        credited; postings that touch `member:available` name the lot. This page is the output of examples that a test
        plays (`RecipePageTests`).

        ## Chart of accounts

        Partners, funds and campaigns get accounts of their own when they are opened: `partner:<name>:clearing` and
        `:settled`, `charity:<name>:clearing` and `:settled`, `rub:…:payable` and `:paid`, `stickers:<name>:owned`,
        `:issued`, `:redeemed`, `:breakage` and `:moving`.


        """

    private static func earning(_ story: inout Storyteller) async throws {
        let books = story.books
        let anna = story.member("Anna")
        story.chapter("Earn", "One lot for each class and receipt. Lots expire at midnight in Moscow.")
        _ = try await story.step("A receipt earns 100 regular and 30 promotional points", of: anna) {
            try await books.post([try books.receipt(of: anna, [.of(100), .of(30, .promotional)])])
        }
        story.chapter("Earn, delayed", "Points wait until delivery. The lot is made when they mature.")
        let delivery = books.clock.now + .seconds(3 * 86_400)
        _ = try await story.step("An online order earns 60 points that wait for three days", of: anna) {
            try await books.post([try books.receipt(of: anna, [.of(60, maturing: delivery)])])
        }
        books.clock.set(to: delivery)
        _ = try await story.step("Three days later", of: anna) { try await books.upkeep.maturePoints() }
        story.chapter("Expire", "One transaction for each member and day; whatever is held does not expire.")
        books.clock.advance(by: .seconds(40 * 86_400))
        _ = try await story.step("Forty days later the promotional points are gone", of: anna) {
            try await books.upkeep.expirePoints()
        }
    }

    private static func spending(_ story: inout Storyteller) async throws {
        let books = story.books
        let boris = story.member("Boris")
        try await books.post([try books.receipt(of: boris, [.of(100), .of(50, .promotional)])])
        story.chapter(
            "Hold and capture", "Lots are reserved first to expire first; what is not used goes back to them.")
        let (first, second, third) = (books.ids.next(Hold.self), books.ids.next(Hold.self), books.ids.next(Hold.self))
        _ = try await story.step("A hold of 80", of: boris) { try await books.place(first, 80, for: boris) }
        _ = try await story.step("Captured: 60 of it", of: boris) { try await books.capture(first, 60, of: boris) }
        story.chapter("Captures in parts", "An order in parcels: the rest stays reserved until the hold is closed.")
        _ = try await story.step("A hold of 40 for an online order, and two parcels of 15", of: boris) {
            let points = try #require(Points(40))
            let part = try #require(Points(15))
            try await books.apply([
                .hold(
                    PlaceHold(hold: second, member: boris, points: points, purpose: .online, expiresInSeconds: 3600)),
                .capture(CaptureHold(part: books.transferID(), of: second, member: boris, points: part)),
                .capture(CaptureHold(part: books.transferID(), of: second, member: boris, points: part)),
            ])
        }
        _ = try await story.step("The order is closed", of: boris) { try await books.void(second, of: boris) }
        story.chapter("Void, and grace", "Reserved points outlive their lots: they come back for 14 days.")
        try await books.earn(20, .promotional, for: boris)
        _ = try await story.step("A hold of 30 for 30 days", of: boris) {
            try await books.place(third, 30, for: boris, seconds: 30 * 86_400)
        }
        books.clock.advance(by: .seconds(35 * 86_400))
        _ = try await story.step("Its time is over after the promotional lot's", of: boris) {
            try await books.upkeep.voidExpiredHolds()
        }
    }

    private static func returning(_ story: inout Storyteller) async throws {
        let books = story.books
        let clara = story.member("Clara")
        try await books.earn(200, for: clara)
        let (hold, _) = try await books.spend(90, for: clara)
        let sale = try books.receipt(of: clara, [.of(50)])
        try await books.post([sale])
        story.chapter(
            "Return of goods",
            "Points spent on the lines go back to their lots, points earned with them are taken. Both were allocated over"
                + " the lines by largest remainder.")
        _ = try await story.step(
            "A receipt that was paid with 90 points and has earned 50: one of two lines", of: clara
        ) {
            try await books.apply(
                try books.goods(of: clara, sale.receipt, lines: [1000, 2000], holds: [hold], back: [(1, 1000)]))
        }
        _ = try await story.step("The other line", of: clara) {
            try await books.apply(
                try books.goods(of: clara, sale.receipt, lines: [1000, 2000], holds: [hold], back: [(2, 2000)]))
        }
        story.chapter("Claw-back into debt", "What is spent already becomes a debt, which later earnings repay first.")
        let other = try books.receipt(of: clara, [.of(100)])
        try await books.post([other])
        try await books.spend(280, for: clara)
        _ = try await story.step("Goods come back whose 100 points are mostly spent", of: clara) {
            try await books.apply(try books.goods(of: clara, other.receipt, lines: [700], back: [(1, 700)]))
        }
        _ = try await story.step("The next receipt earns 120", of: clara) { try await books.earn(120, for: clara) }
    }

    private static func correcting(_ story: inout Storyteller) async throws {
        let books = story.books
        let (dora, egor) = (story.member("Dora"), story.member("Egor"))
        try await books.earn(10, for: dora)
        story.chapter("Adjustment", "One person asks, another one approves; only then anything is posted.")
        let adjusted = try await story.step("A correction of 500, approved", of: dora) {
            try await books.adjust(500, of: dora)
        }
        story.chapter("Reversal", "The mirror of a transaction, once. What was given is taken from its own lot first.")
        let transaction = try adjusted.transaction
        _ = try await story.step("The correction was a mistake", of: dora) {
            try await books.reverse(transaction, of: dora)
        }
        story.chapter("Stickers", "An asset of each campaign, never below zero, gone when it ends.")
        try await books.openCampaign("plates", days: 60)
        _ = try await story.step("Seven given, five exchanged", of: dora) {
            _ = try await books.stickers(7, of: "plates", for: dora)
            _ = try await books.stickers(-5, of: "plates", for: dora)
        }
        story.chapter("Merge of two cards", "Lot by lot with its expiry; the account between them returns to zero.")
        _ = try await story.step("Dora's card becomes Egor's", of: dora, egor) {
            try await books.merge(dora, into: egor)
        }
    }

    private static func money(_ story: inout Storyteller) async throws {
        let books = story.books
        let fedor = story.member("Fedor")
        try await books.earn(10_000, for: fedor)
        story.chapter("Donation", "Points, their worth and the shop's match in one transaction. Roubles in kopecks.")
        _ = try await story.step("100 roubles, doubled", of: fedor) {
            try await books.spend(1000, for: fedor, purpose: .charity("line-of-life"), worth: 10_000, match: 10_000)
        }
        story.chapter("Exchange with a partner", "Clearing until the partner has credited it, settled afterwards.")
        let hold = try await story.step("2000 points for miles", of: fedor) {
            try await books.spend(2000, for: fedor, purpose: .partner("s7"), worth: 20_000).hold
        }
        _ = try await story.step("The partner has credited them", of: fedor) {
            try await books.apply(
                .settle(SettleExchange(id: books.transferID(), member: fedor, hold: hold)))
        }
        story.chapter(
            "Gift certificate",
            "Points become money of the certificate, which is spent in parts or, in the end, written off.")
        let certificate = books.transferID()
        _ = try await story.step("500 roubles for 5000 points, and 200 roubles of it spent", of: fedor) {
            let hold: Hold.ID = books.ids.next()
            let (points, worth) = (try #require(Points(5000)), try #require(Kopecks(50_000)))
            try await books.apply([
                .hold(
                    PlaceHold(
                        hold: hold, member: fedor, points: points, purpose: .certificate, expiresInSeconds: 60)),
                .issueCertificate(
                    IssueCertificate(id: certificate, member: fedor, kopecks: worth, hold: hold)),
                .redeemCertificate(
                    RedeemCertificate(
                        id: books.transferID(), member: fedor, certificate: certificate,
                        kopecks: try #require(Kopecks(20_000)))),
            ])
        }
        _ = try await story.step("Its time is over: the 300 roubles that are left are written off", of: fedor) {
            try await books.apply(
                .expireCertificate(
                    ExpireCertificate(id: books.transferID(), member: fedor, certificate: certificate)))
        }
        story.chapter(
            "Paying out", "Monthly, of the house: what a fund or partner is owed is paid, and clearing is empty.")
        let house = try await books.owner.one("select ledger.house()").decode(Member.ID.self)
        _ = try await story.step("The fund and the partner are paid", of: house) {
            for purpose in [HoldPurpose.charity("line-of-life"), .partner("s7")] {
                try await books.apply(
                    .payOut(
                        PayOut(id: books.transferID(), purpose: purpose, until: books.clock.now + .seconds(1))))
            }
        }
    }
}
