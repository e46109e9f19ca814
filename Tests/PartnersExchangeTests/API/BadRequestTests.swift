import FoundationEssentials
import Kernel
import TestSupport
import Testing
import Web

@testable import PartnersExchange

/// What no client of ours sends is answered as its mistake, never as ours.
@Suite(.exchangeDatabase) struct BadRequestTests {
    private static let nasty = [
        "\\u0000", "'; drop table partners_exchange.exchange; --", "<script>alert(1)</script>", "%s%n",
        "\\ud83d\\ude00",
        "../../etc/passwd", "x".padding(5000),
    ]

    @Test func `nasty texts in every field are refused, and nothing of them is kept`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.client(try await world.member(1000))
            let manager = try await world.staff([.partnerManager, .financeOperator, .financeApprover])
            let id = world.ids.uuid().uuidString.lowercased()
            for text in Self.nasty {
                let requests: [(HTTPTestClient, String, String, String)] = [
                    (member, "POST", "/v1/exchanges", #"{"offer": "\#(text)", "points": 1000}"#),
                    (member, "POST", "/v1/exchanges/\(id)/confirmation", #"{"code": "\#(text)"}"#),
                    (member, "POST", "/v1/cancellations", #"{"token": "\#(text)"}"#),
                    (member, "PUT", "/v1/links/s7", #"{"number": "\#(text)", "surname": "И", "name": "А"}"#),
                    (member, "PUT", "/v1/links/s7", #"{"number": "1", "surname": "\#(text)", "name": "\#(text)"}"#),
                    (manager, "POST", "/staff/v1/partners/s7/address", #"{"address": "\#(text)", "reason": "x"}"#),
                    (
                        manager, "POST", "/staff/v1/partner-offers/s7-miles/changes",
                        #"{"change": "\#(text)", "reason": "x"}"#
                    ),
                    (
                        manager, "POST", "/staff/v1/partner-offers/litres-500/codes",
                        #"{"codes": ["\#(text) \#(text)"]}"#
                    ),
                    (manager, "POST", "/staff/v1/partners/s7/files", #"{"day": "2026-03-02", "content": "\#(text)"}"#),
                    (manager, "POST", "/staff/v1/partners/s7/files", #"{"day": "\#(text)", "content": ""}"#),
                    (
                        manager, "POST", "/staff/v1/work-items/\(id)/decision",
                        #"{"decision": "\#(text)", "comment": "x"}"#
                    ),
                    (
                        manager, "POST", "/staff/v1/work-items/\(id)/decision",
                        #"{"decision": "noted", "comment": "\#(text)"}"#
                    ),
                    (manager, "POST", "/staff/v1/partners/s7/payouts", #"{"until": "\#(text)"}"#),
                ]
                for (client, method, path, body) in requests {
                    let answer = try await client.send(
                        method, path, body: Data(body.utf8), headers: ["Idempotency-Key": "bad-\(id)"])
                    #expect(400..<500 ~= answer.status, "\(method) \(path) \(body.prefix(80)): \(answer.status)")
                    #expect(answer.problem != nil)
                }
            }
            for path in ["/v1/partners/%00", "/v1/partners/s7%27", "/v1/partners/..%2f", "/v1/exchanges/%00"] {
                #expect(try await member.get(path).status == 404, "\(path)")
            }
            #expect(try await world.workItems().isEmpty)
        }
    }

    @Test func `what a member asks for again with another body is refused, with the same body answered again`()
        async throws
    {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let client = try await world.client(member)
            func ask(_ points: Int, key: String?) async throws -> HTTPTestAnswer {
                let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
                return try await client.post(
                    "/v1/exchanges", text: #"{"offer": "s7-miles", "points": \#(points)}"#,
                    headers: headers.merging(["content-type": "application/json"]) { $1 })
            }
            #expect(try await ask(1000, key: nil).problem == "idempotency-key-required")
            let first = try await ask(1000, key: "quote-0001")
            let second = try await ask(1000, key: "quote-0001")
            #expect(first.status == 201)
            #expect(second.text == first.text)
            #expect(second.headers["idempotent-replayed"] == "true")
            #expect(try await ask(1100, key: "quote-0001").problem == "idempotency-key-reused")
            #expect(try await ask(1050, key: "quote-0002").problem == "wrong-amount")
        }
    }
}

extension String {
    fileprivate func padding(_ count: Int) -> String { String(repeating: self, count: count) }
}
