import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Plays examples on real books and writes down what the books say afterwards.
struct Storyteller: Sendable {
    let books: Books
    private(set) var text = ""
    private var told: [Member.ID: Int64] = [:]
    private var names: [Member.ID: String] = [:]

    init(_ books: Books) { self.books = books }

    /// A member of the story, by name.
    mutating func member(_ name: String) -> Member.ID {
        let member = self.books.member()
        self.names[member] = name
        return member
    }

    mutating func chapter(_ title: String, _ rule: String) {
        self.text += "\n## \(title)\n\n\(rule)\n"
    }

    /// What somebody does, and every transaction that it makes.
    mutating func step<R>(
        _ what: String, of members: Member.ID..., by deed: () async throws -> R
    ) async throws -> R {
        let result = try await deed()
        self.text += "\n\(what):\n\n```\n"
        for member in members {
            for line in try await self.books.feed(member).reversed() where line.version > self.told[member] ?? 0 {
                self.text += "\(self.names[member] ?? "house") #\(line.version) \(line.kind.rawValue)\n"
                for movement in line.movements { self.text += "    \(Self.posting(movement))\n" }
                self.told[member] = line.version
            }
            self.text += "    = \(try await self.balance(of: member))\n"
        }
        self.text += "```\n"
        return result
    }

    private static func posting(_ movement: FeedMovement) -> String {
        let way = "\(movement.from) → \(movement.to)"
        var text = way + String(repeating: " ", count: max(1, 62 - way.count)) + "\(movement.points)"
        if let lot = movement.lot {
            text += "  lot \(lot.number), \(lot.lotClass), until \(lot.expiresAt)"
        }
        return text
    }

    private func balance(of member: Member.ID) async throws -> String {
        let balance = try await self.books.account.balance(of: member)
        return "available \(balance.available), pending \(balance.pending), held \(balance.held), debt \(balance.debt)"
    }

    /// The accounts that are there from the beginning.
    func chart() async throws -> String {
        let rows = try await self.books.owner.query(
            "select code, asset, holder, meaning from ledger.account where id < 1000 order by id")
        var text = "| account | asset | whose | meaning |\n|---|---|---|---|\n"
        for row in rows {
            let (code, asset, holder, meaning) = try row.decode(String.self, String.self, String.self, String.self)
            text += "| `\(code)` | \(asset) | \(holder) | \(meaning) |\n"
        }
        return text
    }
}
