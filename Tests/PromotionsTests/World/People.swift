import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

/// Who asks for something with a token.
struct Person: Sendable {
    let client: any TestClientProtocol
    let token: String

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, key: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answered {
        var headers = headers
        // Another key for each request that writes, unless the test is about repeating one.
        let ownKey = method == .post ? UUID().uuidString : nil
        if let key = key ?? ownKey { headers[try #require(HTTPField.Name("Idempotency-Key"))] = key }
        return try await self.client.ask(method, path, body, key: self.token, headers: headers)
    }
}

extension TillWorld {
    /// A year: for tests that move the clock.
    static let long = Make.noon + .seconds(366 * 86_400)

    func member(_ id: Member.ID? = nil, _ client: any TestClientProtocol) async throws -> Person {
        Person(client: client, token: try await self.issuer.accessToken(id ?? self.member, expiresAt: Self.long))
    }

    func staff(_ number: UInt8, _ role: StaffRole, _ client: any TestClientProtocol) async throws -> Person {
        Person(
            client: client,
            token: try await self.issuer.staffToken(Self.colleague(number), [role], expiresAt: Self.long))
    }

    static func colleague(_ number: UInt8) -> Staff.ID {
        Staff.ID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number)))
    }

    /// Another member with a card of her own.
    func join(_ number: UInt8) async throws -> (member: Member.ID, card: CardNumber) {
        let (member, card) = (
            Member.ID(UUID(uuid: (9, 9, 9, 9, 9, 9, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number))), Make.card(number)
        )
        try await CardStore().upsert([.init(number: card, member: member, issuedAt: Make.noon)], in: self.database)
        return (member, card)
    }

    /// Puts a ruleset in force, by two colleagues.
    @discardableResult
    func enforce(_ ruleset: Ruleset) async throws -> Int64 {
        let activate = ActivateRuleset(clock: self.clock, rulesets: self.parts.rulesets)
        return try await self.database.transaction { transaction in
            let number = try await DraftRuleset(clock: self.clock)(ruleset, by: "Иванова", in: transaction)
            try await activate.submit(number, by: "Иванова", in: transaction)
            try await activate(number, by: "Петров", in: transaction)
            return number
        }
    }

    /// Products with prices, and their shelf.
    func stock(_ products: [(sku: String, title: String, price: Int64)], shelf: String = "meat") async throws {
        let imports = ImportCatalogue(database: self.database)
        _ = try await imports(
            products.map {
                ProductRecord(sku: $0.sku, title: $0.title, category: shelf, unit: "шт", price: Kopecks($0.price))
            }, on: [CategoryRecord(id: shelf, title: shelf)])
    }

    func count(_ sql: SQL) async throws -> Int64 { try await self.owner.one(sql).decode(Int64.self) }
}
