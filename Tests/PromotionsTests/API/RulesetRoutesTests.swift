import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct RulesetRoutesTests {
    private struct Numbered: Decodable { let ruleset: Int64 }
    private struct Summary: Decodable {
        let state: String
        let note: String?
    }
    private struct Simulated: Decodable {
        let receipts: Int
        let pointsThen: Int64
        let pointsNow: Int64
        let isComplete: Bool
    }

    private static let double = """
        {"exclusions": [], "spending": {"percentOfTotal": 50, "kopecksPerPoint": 10}, "rules": [
        {"id": "double", "lotClass": "regular", "effect": {"earnRate": {"points": 2, "kopecks": 1000}},
        "when": {"weekday": [1]}}]}
        """

    @Test func `a ruleset is drafted, simulated, submitted, and put in force by somebody else`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            for document in 1...3 { _ = try await client.deliver(ReceiptJSON(fiscalDocument: Int64(document)).text) }
            _ = try await client.deliver(ReceiptJSON(fiscalDocument: 9, at: "2026-11-22T12:00:00+03:00").text)
            let before = try await world.footprint()
            let editor = try await world.staff(1, .promoEditor, client)
            let approver = try await world.staff(2, .promoApprover, client)
            let drafted = try await editor.ask(.post, "/staff/v1/rulesets", Self.double)
            #expect(drafted.status == 201)
            let path = "/staff/v1/rulesets/\(try drafted.read(Numbered.self).ruleset)"
            // What it would have cost: three Mondays twice, a Sunday not at all.
            let span = #"{"from": "2026-11-01T00:00:00+03:00", "to": "2026-12-01T00:00:00+03:00"}"#
            let simulated: Simulated = try await editor.ask(.post, path + "/simulation", span).read()
            #expect((simulated.receipts, simulated.pointsThen, simulated.pointsNow) == (4, 88, 132))
            #expect(simulated.isComplete)
            #expect(try await approver.ask(.post, path + "/activate").problem?.state == "draft")
            #expect(try await editor.ask(.post, path + "/submit").read(Summary.self).state == "review")
            #expect(try await editor.ask(.post, path + "/activate").problem?.code == "role-missing")
            let own = Person(
                client: client,
                token: try await world.issuer.staffToken(
                    TillWorld.colleague(1), [.promoApprover], expiresAt: TillWorld.long))
            #expect(try await own.ask(.post, path + "/activate").problem?.code == "same-person")
            #expect(try await world.footprint() == before)
            #expect(try await approver.ask(.post, path + "/activate").read(Summary.self).state == "active")
            #expect(try await approver.ask(.post, path + "/activate").problem?.state == "active")
            let answer: ReceiptAnswer = try await client.deliver(ReceiptJSON(fiscalDocument: 20).text).read()
            #expect(answer.points == Points(44))
        }
    }

    @Test func `a ruleset is rejected for good, with a note`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let editor = try await world.staff(1, .promoEditor, client)
            let approver = try await world.staff(2, .promoApprover, client)
            let number = try await editor.ask(.post, "/staff/v1/rulesets", Self.double).read(Numbered.self).ruleset
            let path = "/staff/v1/rulesets/\(number)"
            _ = try await editor.ask(.post, path + "/submit")
            let rejected: Summary = try await approver.ask(.post, path + "/reject", #"{"note": "Слишком дорого"}"#)
                .read()
            #expect((rejected.state, rejected.note) == ("rejected", "Слишком дорого"))
            #expect(try await approver.ask(.post, path + "/activate").problem?.state == "rejected")
            struct Page: Decodable { let items: [Numbered] }
            #expect(
                try await editor.ask(.get, "/staff/v1/rulesets").read(Page.self).items.map(\.ruleset) == [number, 1])
            #expect(try await editor.ask(.get, path).text.contains("earnRate"))
            #expect(try await editor.ask(.get, "/staff/v1/rulesets/99").problem?.code == "not-found")
        }
    }

    @Test func `what cannot be meant or is not known is refused`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let editor = try await world.staff(1, .promoEditor, client)
            let slip = Self.double.replacing(#""points": 2"#, with: #""points": 2000"#)
            #expect(try await editor.ask(.post, "/staff/v1/rulesets", slip).problem?.code == "ruleset-defect")
            let newer = Self.double.replacing(#""weekday": [1]"#, with: #""moon": "full""#)
            #expect(try await editor.ask(.post, "/staff/v1/rulesets", newer).status == 400)
        }
    }

    @Test func `what colleagues write is done once for each key, and without a key not at all`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let editor = try await world.staff(1, .promoEditor, client)
            let approver = try await world.staff(2, .promoApprover, client)
            let bare = try await client.ask(.post, "/staff/v1/rulesets", Self.double, key: editor.token)
            #expect(bare.status == 400 && bare.problem?.code == "idempotency-key-required")
            let first = try await editor.ask(.post, "/staff/v1/rulesets", Self.double, key: "draft-1")
            let again = try await editor.ask(.post, "/staff/v1/rulesets", Self.double, key: "draft-1")
            #expect(first.status == 201 && again.status == 201 && again.isReplayed && again.text == first.text)
            let other = Self.double.replacing(#""points": 2"#, with: #""points": 3"#)
            let reused = try await editor.ask(.post, "/staff/v1/rulesets", other, key: "draft-1")
            #expect(reused.problem?.code == "idempotency-key-reused")
            let path = "/staff/v1/rulesets/\(try first.read(Numbered.self).ruleset)"
            for _ in 0..<2 {
                #expect(try await editor.ask(.post, path + "/submit", key: "submit").status == 200)
                #expect(try await approver.ask(.post, path + "/activate", key: "activate").status == 200)
            }
            // A refusal is kept as well.
            for _ in 0..<2 {
                #expect(try await approver.ask(.post, path + "/activate", key: "twice").problem?.state == "active")
            }
        }
        #expect(try await world.count("select count(*) from promotions.ruleset") == 2)
    }

    @Test(arguments: ["nobody", "member", "till", "support"])
    func `only colleagues with the role come near`(who: String) async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let (key, code): (String?, String) =
                switch who {
                case "member": (try await world.issuer.accessToken(world.member), "token-invalid")
                case "till": (TillWorld.key, "token-invalid")
                case "support": (try await world.staff(3, .support, client).token, "role-missing")
                default: (nil, "token-missing")
                }
            for path in ["/staff/v1/rulesets", "/staff/v1/offers", "/staff/v1/coupon-campaigns"] {
                #expect(try await client.ask(.post, path, Self.double, key: key).problem?.code == code)
            }
        }
    }
}
