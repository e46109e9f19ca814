import FoundationEssentials
import Hummingbird
import Kernel
import Testing
import Web

@Suite struct PageTests {
    private struct Position: Codable, Equatable, Sendable {
        let at: Timestamp
        let id: Int64
    }

    private static let house = House { router in
        router.get("/numbers") { request, _ in
            let page = try PageRequest<Int>(request, standard: 3, maximum: 5)
            let first = (page.after ?? 0) + 1
            let rows = Array((first...10).prefix(page.limit + 1))
            return try Response.json(try Page(rows, limit: page.limit, position: { $0 }).map { "n\($0)" })
        }
        router.get("/moments") { request, _ in
            try Response.json(["id": try PageRequest<Position>(request).after?.id ?? 0])
        }
    }

    private struct Answer: Decodable {
        let items: [String]
        let next: String?
    }

    @Test func `a list is walked page by page to its end`() async throws {
        var items: [String] = []
        var uri = "/numbers?limit=4"
        while true {
            let page = try await Self.house.send(.get, uri).decode(Answer.self)
            items += page.items
            guard let next = page.next else { break }
            uri = "/numbers?limit=4&cursor=\(next)"
        }
        #expect(items == (1...10).map { "n\($0)" })
    }

    @Test func `a page has the standard size unless told otherwise`() async throws {
        #expect(try await Self.house.send(.get, "/numbers").decode(Answer.self).items.count == 3)
    }

    @Test(arguments: ["0", "6", "-1", "x", "1.5", ""])
    func `a size that is not offered is refused`(limit: String) async throws {
        #expect(try await Self.house.send(.get, "/numbers?limit=\(limit)").problem.code == "invalid-value")
    }

    @Test(arguments: ["x", "MQ==", "bnVsbA", "eyJhIjoxfQ", "%2B%2B", "~", String(repeating: "M", count: 600)])
    func `a cursor that is none of ours is refused`(cursor: String) async throws {
        #expect(try await Self.house.send(.get, "/numbers?cursor=\(cursor)").problem.code == "invalid-cursor")
    }

    @Test func `a position may be of several parts`() async throws {
        let json = #"{"at":"2026-11-23T10:00:00Z","id":7}"#
        let cursor = Data(json.utf8).base64EncodedString().split(separator: "=")[0]
        #expect(try await Self.house.send(.get, "/moments?cursor=\(cursor)").text == #"{"id":7}"#)
    }
}
