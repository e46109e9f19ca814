import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct FAQTests {
    private struct ArticleSeen: Decodable {
        struct Wording: Decodable {
            let ru: String
            let en: String
        }

        let id: String
        let question: Wording
        let answer: Wording
        let helped: Int64
        let unhelped: Int64
    }

    private static let questions: [(String, String, String)] = [
        // As it is asked.
        ("не начислены баллы за покупку", "ru", "missing-points"), ("как обменять баллы на мили", "ru", "exchange"),
        ("когда сгорают баллы", "ru", "expiry"), ("how do I give a gift certificate", "en", "certificate-buy"),
        // Otherwise inflected, and not finished.
        ("сгорание баллов", "ru", "expiry"), ("ближайшие магазин", "ru", "nearest-store"), ("наклей", "ru", "stickers"),
        // With typing errors.
        ("падарочный сертефикат", "ru", "certificate-buy"), ("пожертвовоние", "ru", "donate"),
        ("certifcate", "en", "certificate-use"), ("аткивация карты", "ru", "activate-card"),
        // By other words.
        ("потратить пластик потерял", "ru", "lost-card"), ("спам", "ru", "unsubscribe"),
        ("график супермаркета", "ru", "nearest-store"), ("не приходит смс", "ru", "no-sms"),
    ]

    @Test func `the right answer is among the first, whatever the words`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            for (text, language, article) in Self.questions {
                let query = try #require(text.addingPercentEncoding)
                let found: PageSeen<ArticleSeen> = try await client.ask(
                    .get, "/v1/faq?q=\(query)&language=\(language)"
                ).read()
                #expect(found.items.prefix(3).map(\.id).contains(article), "\(text): \(found.items.map(\.id))")
                #expect(found.items.count <= 5)
            }
        }
    }

    @Test func `what says nothing finds nothing, and nothing breaks the search`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            for text in [
                "", "и в на", "!!! ' \" \\ & | :* <-> ()", "ъъъъъъъъъъъъ", "'; drop table support.faq_article",
            ] {
                let query = try #require(text.addingPercentEncoding)
                let found = try await client.ask(.get, "/v1/faq?q=\(query)")
                #expect(found.status == 200, "\(text)")
            }
            let long = try await client.ask(.get, "/v1/faq?q=" + String(repeating: "a", count: 301))
            #expect(long.problem == "invalid-value")
            #expect(try await client.ask(.get, "/v1/faq?q=%00").problem == "invalid-value")
            #expect(try await client.ask(.get, "/v1/faq?q=a&language=de").problem == "invalid-value")
        }
        #expect(try await world.count("select count(*) from support.search_faq('и в на', 'ru', 5)") == 0)
    }

    @Test func `marks are counted, and unknown articles are not found`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            for helped in [true, true, false] {
                let vote = try await client.ask(.post, "/v1/faq/expiry/votes", #"{"helped": \#(helped)}"#)
                #expect(vote.status == 204)
            }
            let article: ArticleSeen = try await client.ask(.get, "/v1/faq/expiry").read()
            #expect(article.helped == 2 && article.unhelped == 1)
            #expect(try await client.ask(.get, "/v1/faq/nothing").status == 404)
            #expect(try await client.ask(.post, "/v1/faq/nothing/votes", #"{"helped": true}"#).status == 404)
            let all: PageSeen<ArticleSeen> = try await client.ask(.get, "/v1/faq").read()
            #expect(all.items.count >= 30)
            for article in all.items {
                #expect(article.answer.ru.unicodeScalars.contains { 0x400...0x4FF ~= $0.value }, "\(article.id)")
                #expect(!article.answer.en.unicodeScalars.contains { 0x400...0x4FF ~= $0.value }, "\(article.id)")
            }
        }
    }
}

extension String {
    /// For a query: everything but letters and digits of ASCII as %XX.
    var addingPercentEncoding: String? {
        self.utf8.map { byte -> String in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
