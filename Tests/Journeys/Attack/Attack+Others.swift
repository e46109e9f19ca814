import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// A member who has got hold of another's ids.
extension Attack {
    func `no list, feed or search of a member shows anything of another`() async throws {
        var shown: Set<String> = []
        for line in self.table.lines
        where line.method == "GET" && !line.path.contains("{") && Self.isForMembers(line) {
            let own = try await self.crowd.send("GET", line.part, line.path, as: .member).text
            let others = try await self.crowd.send("GET", line.part, line.path, as: .other).text
            for id in self.belongings.ids.values {
                if own.contains(id) { shown.insert(id) }
                #expect(!others.contains(id), "\(line.route)")
            }
            for secret in [self.crowd.member.id, self.crowd.member.card, "Иванова", "Тайн"] {
                #expect(!others.contains(secret), "\(line.route) shows \(secret)")
            }
        }
        // Everything but the step-up, which no list has.
        #expect(shown.count == self.belongings.ids.count - 1, "the lists that were looked at are the right ones")
    }

    func `whatever is another's is answered like what does not exist, and stays as it was`() async throws {
        let before = try await self.seen()
        #expect(before.count > 8)
        var asked: Set<Belongings.Kind> = []
        for part in ServicePart.services {
            let contract = try await Contract(of: part, in: self.crowd.programme)
            for line in self.table.lines where line.part == part && Self.isForMembers(line) {
                let kinds = self.belongings.kinds(of: line)
                guard !kinds.isEmpty else { continue }
                asked.formUnion(kinds)
                let body = contract.operations["\(line.method) \(line.path)"]?.example
                let foreign = try await self.crowd.send(line.method, part, self.belongings.path(line), body, as: .other)
                #expect(foreign.status >= 400, "\(line.route): \(foreign.text)")
                guard line.route != Self.making else { continue }
                let path = self.belongings.path(line, except: Set(kinds.map(\.parameter)))
                let nobodys = try await self.crowd.send(line.method, part, path, body, as: .other)
                #expect(foreign.status == nobodys.status, "\(line.route): \(foreign.text) \(nobodys.text)")
                #expect(foreign.text == nobodys.text, "\(line.route)")
            }
        }
        #expect(asked == Set(self.belongings.ids.keys), "each kind of thing is asked for somewhere")
        #expect(try await self.seen() == before)
    }

    /// Makes what does not exist under an id that the asking member has chosen at random.
    private static let making = "promotions PUT /v1/lists/{list}"

    /// Routes that members get into and nobody gets into without a token.
    private static func isForMembers(_ line: AuthorisationTable.Line) -> Bool {
        line.verdicts[.nobody] == .unknown && [.inside, .absent].contains(line.verdicts[.member])
    }

    /// What the member sees of each thing.
    private func seen() async throws -> [String: String] {
        var seen: [String: String] = [:]
        for line in self.table.lines
        where line.method == "GET" && Self.isForMembers(line) && !self.belongings.kinds(of: line).isEmpty {
            let answer = try await self.crowd.send("GET", line.part, self.belongings.path(line), as: .member)
            // A proof and a printed page are of their moment.
            let isStill = !line.path.hasSuffix("/proof") && !line.path.hasSuffix(".pdf")
            seen[line.route] = isStill ? "\(answer.status)\(answer.text)" : ""
        }
        return seen
    }
}
