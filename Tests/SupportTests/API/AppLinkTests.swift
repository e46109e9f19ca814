import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct AppLinkTests {
    private struct LinkSeen: Decodable, Equatable {
        let platform: String
        let title: String
        let url: String
    }

    @Test func `everybody is shown where the apps are, as the operator has set it`() async throws {
        var rules = SupportParts.Rules.easy
        rules.apps = try #require(AppLink.parse("ios=https://a.example/1?x=2, rustore=https://b.example/2"))
        let world = try SupportWorld(rules: rules)
        try await world.client { client in
            let answer = try await client.ask(.get, "/v1/apps")
            let page: PageSeen<LinkSeen> = try answer.read()
            #expect(
                page.items == [
                    LinkSeen(platform: "ios", title: "App Store", url: "https://a.example/1?x=2"),
                    LinkSeen(platform: "rustore", title: "RuStore", url: "https://b.example/2"),
                ])
            #expect(answer.headers[.cacheControl] == "public, max-age=3600")
        }
    }

    @Test(arguments: [
        "", "ios", "ios=", "ios=http://a.example", "palm=https://a.example", "ios=https://", "ios=javascript:alert(1)",
        "ios=https://a.example,ios=https://b.example", "ios=https://a.example,",
    ])
    func `links that are none are refused`(text: String) {
        #expect(AppLink.parse(text) == nil)
    }

    @Test func `there may be none, and what holds by itself is sound`() {
        #expect(AppLink.parse("none") == [])
        #expect(AppLink.parse(AppLink.usual)?.count == 2)
    }
}
