import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import PartnersExchange

@Suite struct DomainTests {
    private let now = Timestamp(secondsSince1970: 1_772_435_400)

    @Test func `the breaker shuts after five failures in a row, longer each time, and opens after a success`() {
        var breaker = Breaker()
        for _ in 0..<4 { breaker.failed(at: self.now) }
        #expect(breaker.pause(at: self.now) == nil)
        breaker.failed(at: self.now)
        #expect(breaker.pause(at: self.now) == .seconds(30))
        #expect(breaker.pause(at: self.now + .seconds(30)) == nil)
        breaker.failed(at: self.now)
        #expect(breaker.pause(at: self.now) == .seconds(60))
        for _ in 0..<20 { breaker.failed(at: self.now) }
        #expect(breaker.pause(at: self.now) == .seconds(600))
        breaker.succeeded()
        #expect(breaker == Breaker())
    }

    @Test func `a signature holds for what was signed, by whom, and for five minutes`() {
        let body = Array("{}".utf8)
        let signed = RequestSignature.sign(
            method: "POST", path: "/orders", body: body, at: self.now, secret: "secret")
        func isRight(
            _ method: String = "POST", _ path: String = "/orders", _ body: [UInt8] = Array("{}".utf8),
            _ timestamp: String? = nil, secret: String = "secret", after: Duration = .zero
        ) -> Bool {
            RequestSignature.isRight(
                method: method, path: path, body: body, timestamp: timestamp ?? signed.timestamp,
                signature: signed.signature, secret: secret, at: self.now + after)
        }
        #expect(isRight())
        #expect(isRight(after: .seconds(299)))
        #expect(!isRight(after: .seconds(301)))
        #expect(!isRight(after: .seconds(-301)))
        #expect(!isRight("PUT"))
        #expect(!isRight("POST", "/order"))
        #expect(!isRight("POST", "/orders", Array("{ }".utf8)))
        #expect(!isRight("POST", "/orders", body, "1772435401"))
        #expect(!isRight("POST", "/orders", body, "nonsense"))
        #expect(!isRight(secret: "other"))
        let unsigned = RequestSignature.isRight(
            method: "POST", path: "/orders", body: body, timestamp: nil, signature: nil, secret: "", at: self.now)
        #expect(!unsigned)
    }

    @Test func `a sealed value opens in its place only, and a cancel link is one exchange's`() throws {
        let vault = try #require(ExchangeVault(Secret([UInt8](repeating: 1, count: 32))))
        let other = try #require(ExchangeVault(Secret([UInt8](repeating: 2, count: 32))))
        #expect(ExchangeVault(Secret("too short")) == nil)
        let sealed = try vault.seal("123456782", at: "a")
        #expect(try vault.open(sealed, at: "a") == "123456782")
        #expect(throws: ExchangeVault.Damaged.self) { try vault.open(sealed, at: "b") }
        #expect(throws: ExchangeVault.Damaged.self) { try other.open(sealed, at: "a") }
        #expect(throws: ExchangeVault.Damaged.self) { try vault.open([], at: "a") }
        #expect(vault.index("1", in: "a") != vault.index("1", in: "b"))

        let (member, exchange) = (Member.ID(UUID()), Exchange.ID(UUID()))
        let token = vault.cancelToken(for: exchange, of: member)
        let read = try #require(vault.readCancelToken(token))
        #expect(read.member == member)
        #expect(read.exchange == exchange)
        #expect(other.readCancelToken(token) == nil)
        let swapped = vault.cancelToken(for: Exchange.ID(member.raw), of: Member.ID(exchange.raw))
        #expect(vault.readCancelToken(String(token.prefix(43)) + String(swapped.suffix(21))) == nil)
        for text in ["", "x", String(token.dropLast()), token + "A", String(repeating: "A", count: 64)] {
            #expect(vault.readCancelToken(text) == nil)
        }
    }

    @Test func `a daily file is taken whole or not at all`() throws {
        let order = "0199b0c2-7a02-7000-8000-00000000000b"
        let file = try DailyFile("order;status;units;reference\n\(order);credited;4000;S7-1\n")
        #expect(file.lines.map(\.units) == [4000])
        #expect(try DailyFile("order;status;units;reference\n").lines.isEmpty)
        let header = DailyFile.header
        let bad: [(String, Int)] = [
            ("", 1), ("order;status", 1), ("\(header)\n\(order);done;1;", 2), ("\(header)\nx;credited;1;", 2),
            ("\(header)\n\(order);credited;-1;", 2), ("\(header)\n\(order);credited;1", 2),
            ("\(header)\n\(order);credited;1;\n\(order);credited;1;", 3),
            ("\(header)\n\(order);credited;1;<script>", 2), ("\(header)\n\n\(order);credited;1;", 2),
        ]
        for (text, line) in bad {
            #expect(throws: DailyFile.Malformed(line: line), "\(text)") { try DailyFile(text) }
        }
    }

    @Test func `only addresses that the operator allows may be talked to`() {
        let hosts = AllowedHosts("api.s7.example, 127.0.0.1:8090")
        for address in ["https://api.s7.example", "https://api.s7.example/club", "http://127.0.0.1:8090"] {
            #expect(hosts.allows(address), "\(address)")
        }
        for address in [
            "http://api.s7.example", "https://api.s7.example:8443", "https://api.s7.example.evil.example",
            "https://evil.example/api.s7.example", "https://api.s7.example@evil.example", "http://127.0.0.1:5432",
            "http://127.0.0.1", "http://169.254.169.254", "file:///etc/passwd", "gopher://127.0.0.1:8090",
            "https://api.s7.example/?next=x", "https://api.s7.example#x", "https://api.s7.example/", "", "nonsense",
            "http://localhost:8090", "http://[::1]:8090", "http://user@127.0.0.1:8090", "http://127.0.0.1:8090\\@evil",
        ] {
            #expect(!hosts.allows(address), "\(address)")
        }
        #expect(!AllowedHosts("none").allows("https://none"))
    }

    @Test func `an offer has whole steps within its range`() throws {
        let offer = Offer(
            code: "o", partner: "p", title: Bilingual(ru: "", en: ""), unit: Bilingual(ru: "", en: ""),
            pointsStep: 100, unitsStep: 40, kopecksStep: 1000, pointsMin: 1000, pointsMax: 5000, isSpecial: false,
            validFrom: self.now, validTo: self.now + .seconds(10), stock: nil, budget: nil, lowStock: 0,
            isActive: true)
        let terms = try offer.terms(for: try #require(Points(1500)))
        #expect(terms.units == 600)
        #expect(terms.worth == Kopecks(15_000))
        for points: Int64 in [0, 900, 1050, 5100, .max] {
            #expect(throws: ExchangeRefusal.wrongAmount(step: 100, min: 1000, max: 5000)) {
                try offer.terms(for: try #require(Points(points)))
            }
        }
        #expect(offer.isOpen(at: self.now))
        #expect(!offer.isOpen(at: self.now - .seconds(1)))
        #expect(!offer.isOpen(at: self.now + .seconds(10)))
    }
}
