import Foundation
import TestSupport
import Testing

@testable import Club

/// A till with its key and its fiscal memory.
struct Till: Sendable {
    /// What lies on the belt, as the tour buys it.
    typealias Goods = TourWalk.Goods

    let programme: Programme
    let store: String
    /// The number of its fiscal memory.
    let memory: String
    let key: String

    /// A till whose key the operator has issued for everything that tills do.
    init(in store: String, memory: String, of programme: Programme) async throws {
        (self.programme, self.store, self.memory) = (programme, store, memory)
        let issued = try await programme.club(
            "till-key", "issue", "--scope", "receipts", "--scope", "spend", "--scope", "certificates", "--store", store,
            "--label", "касса \(store)")
        self.key = try #require(issued["key"]?.text)
    }

    /// One request, whatever comes of it.
    func send(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil
    ) async throws -> HTTPTestAnswer {
        try await self.programme.send(method, part, path, body, token: self.key)
    }

    /// One request that must be answered with a status.
    @discardableResult
    func ask(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, gives status: Int = 200,
        at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try await self.programme.ask(method, part, path, body, token: self.key, gives: status, at: place)
    }

    /// A receipt of this number.
    func sell(
        _ goods: [Goods], receipt number: Int64, card: String, authorisation: String? = nil,
        at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        var body: [String: JSON] = [
            "fiscal": self.fiscal(number), "store": .text(self.store), "at": Self.now, "card": .text(card),
            "lines": Self.lines(goods), "total": .number(Self.total(goods)),
        ]
        if let authorisation { body["authorisations"] = [.text(authorisation)] }
        return try await self.ask("POST", .promotions, "/pos/v1/receipts", .object(body), gives: 201, at: place)
    }

    /// Some pieces of the only line of a receipt come back.
    func takeBack(_ pieces: Int64, of sale: Int64, receipt number: Int64) async throws -> JSON {
        try await self.ask(
            "POST", .promotions, "/pos/v1/returns",
            [
                "fiscal": self.fiscal(number), "sale": self.fiscal(sale), "store": .text(self.store), "at": Self.now,
                "lines": [["position": 1, "quantity": .number(pieces * 1000)]],
            ], gives: 201)
    }

    func fiscal(_ number: Int64) -> JSON {
        ["fn": .text(self.memory), "fd": .number(number), "fpd": .number(number * 7919)]
    }

    static func lines(_ goods: [Goods]) -> JSON {
        .array(
            goods.enumerated().map { index, goods in
                [
                    "position": .number(Int64(index + 1)), "sku": .text(goods.sku), "category": .text(goods.category),
                    "quantity": .number(goods.pieces * 1000), "price": .number(goods.price),
                    "sum": .number(goods.pieces * goods.price),
                ]
            })
    }

    static func total(_ goods: [Goods]) -> Int64 { goods.reduce(0) { $0 + $1.pieces * $1.price } }

    private static var now: JSON { .text(Date().ISO8601Format()) }
}
