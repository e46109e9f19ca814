import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// SQL, HTML and worse in every text that the contracts of all services name: in bodies, in queries and in paths.
extension Attack {
    private static let texts = [
        "'; drop table auth.member cascade; --", "1' or '1'='1", "\\'; select pg_sleep(9); --",
        "%' union select null --",
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "${jndi:ldap://127.0.0.1/x}", "{{7*7}}",
        "a\u{0}b", "\u{202e}drow\u{feff}", "../../../../etc/passwd", "\r\nX-Injected: yes",
        String(repeating: "А", count: 20_000),
    ]

    func `no text does more than be refused or be kept as it is`() async throws {
        var (count, spots) = (0, 0)
        for part in ServicePart.services {
            let contract = try await Contract(of: part, in: self.crowd.programme)
            for line in self.table.lines where line.part == part && !Self.ends(line) {
                guard let guest = line.guest else { continue }
                let operation = try #require(contract.operations["\(line.method) \(line.path)"])
                for place in Self.places(line, operation) {
                    spots += 1
                    // Each place sees some of the texts, and each text many places.
                    for text in (0..<4).map({ Self.texts[(spots * 4 + $0) % Self.texts.count] }) {
                        count += 1
                        try await self.send(place, text, to: line, self.belongings.path(line), as: guest)
                    }
                }
            }
        }
        #expect(spots > 200 && count > 800, "\(spots) places, \(count) requests")
    }

    /// Where a text goes.
    private enum Place {
        case body(JSON, Contract.TextPlace)
        case query(String)
        case path(parameter: String)
    }

    /// The routes that end the session that asks.
    private static func ends(_ line: AuthorisationTable.Line) -> Bool {
        line.path.hasSuffix("/sessions/current") || line.path == "/v1/me/sessions"
    }

    private static func places(_ line: AuthorisationTable.Line, _ operation: Contract.Operation) -> [Place] {
        let bodies = operation.example.map { example in operation.texts.map { Place.body(example, $0) } } ?? []
        let parameters = line.path.split(separator: "/").filter { $0.hasPrefix("{") }
        return bodies + operation.queries.map { .query($0) } + parameters.map { .path(parameter: String($0)) }
    }

    private func send(
        _ place: Place, _ text: String, to line: AuthorisationTable.Line, _ own: String, as guest: Caller
    ) async throws {
        let escaped = text.prefix(300).addingPercentEncoding(
            withAllowedCharacters: .alphanumerics.intersection(.urlHostAllowed))
        let inAddress = try #require(escaped)
        let (path, body): (String, JSON?) =
            switch place {
            case .body(let example, let spot): (own, example.with(text, at: spot.steps[...]))
            case .query(let name): ("\(own)?\(name)=\(inAddress)", nil)
            case .path(let parameter):
                (
                    line.path.replacing(parameter, with: inAddress)
                        .replacing(/\{\w+\}/, with: Belongings.nobodys), nil
                )
            }
        let answer = try await self.crowd.sendOnce(line.method, line.part, path, body, as: guest)
        let what: Comment = "\(line.route) \(place) \(text.prefix(40)): \(answer.status) \(answer.text.prefix(300))"
        #expect(answer.status < 500, what)
        #expect(answer.headers["x-injected"] == nil, what)
        #expect(answer.headers["x-content-type-options"] == "nosniff", what)
        let type = answer.headers["content-type"] ?? ""
        #expect(!type.hasPrefix("text/html"), what)
        if type.contains("svg") { #expect(!answer.text.contains("<script"), what) }
        if answer.status >= 400 { #expect(answer.problem != nil, what) }
    }
}
