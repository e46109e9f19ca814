import Contracts
import Kernel
import TestSupport
import Testing

@testable import GiftCertificates

/// The rules without a database.
@Suite struct RulesTests {
    @Test func `a code reads back as itself, however it is written`() throws {
        let random = RandomBytes.seeded(7)
        for _ in 0..<500 {
            let code = CertificateCode.make(random: random)
            #expect(code.text.count == 17)
            #expect(CertificateCode(code.text) == code)
            #expect(CertificateCode(code.grouped.lowercased()) == code)
            let spoken = code.text.dropLast().map { $0 == "0" ? "O" : $0 == "1" ? "l" : $0 } + [code.text.last ?? "0"]
            #expect(CertificateCode(String(spoken)) == code)
        }
    }

    /// Every single wrong letter and every swap of two neighbours that differ is noticed.
    @Test func `a slip of the finger is noticed`() throws {
        let random = RandomBytes.seeded(3)
        for _ in 0..<40 {
            let letters = Array(CertificateCode.make(random: random).text)
            for place in 0..<16 {
                for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" where other != letters[place] {
                    var wrong = letters
                    wrong[place] = other
                    #expect(CertificateCode(String(wrong)) == nil)
                }
                guard place < 15, letters[place] != letters[place + 1] else { continue }
                var swapped = letters
                swapped.swapAt(place, place + 1)
                #expect(CertificateCode(String(swapped)) == nil)
            }
        }
    }

    @Test func `codes do not print, and their indexes depend on the secret`() throws {
        let code = try #require(CertificateCode(bytes: [UInt8](0..<10)))
        #expect("\(code)" == "***")
        #expect(String(reflecting: code) == "***")
        let one = try #require(CodeVault(Secret(String(repeating: "a", count: 32))))
        let other = try #require(CodeVault(Secret(String(repeating: "b", count: 32))))
        #expect(one.index(code) != other.index(code))
        #expect(CodeVault(Secret("short")) == nil)
    }

    @Test func `what is sealed opens in its own row and column only`() throws {
        let vault = try #require(CodeVault(Secret(String(repeating: "a", count: 32))))
        let ids = IDGenerator.seeded()
        let (mine, other): (GiftCertificate.ID, GiftCertificate.ID) = (ids.next(), ids.next())
        let sealed = try vault.seal([1, 2, 3], .code, of: mine)
        #expect(try vault.open(sealed, .code, of: mine) == [1, 2, 3])
        #expect(throws: CodeVault.Damaged.self) { _ = try vault.open(sealed, .code, of: other) as [UInt8] }
        #expect(throws: CodeVault.Damaged.self) { _ = try vault.open(sealed, .link, of: mine) as [UInt8] }
        #expect(throws: CodeVault.Damaged.self) { _ = try vault.open(sealed.dropLast(), .code, of: mine) as [UInt8] }
    }

    @Test(
        arguments: [
            ("С днём рождения, мама! Целую 💐", nil), ("Застрахуй и употребляй, оскорблять не будем", nil),
            ("1 + 1 = 2, 2026 год", nil), ("", .length), ("   ", .length), ("а\nа\nа\nа\nа\nа\nа", .length),
            ("ты мудак", .words), ("xуй", .words), ("ПИИИЗДЕЦ", .words), ("what the fuck", .words), ("заебали", .words),
            ("смотри http://a", .link), ("пиши на a@b.ru", .link), ("evil.com тут", .link), ("8-916-123-45-67", .link),
            ("а\u{200B}б", .characters), ("\u{202E}абв", .characters), ("а\u{7}", .characters),
            ("я\u{301}\u{301}\u{301}\u{301}", .characters),
        ] as [(String, Moderation.Objection?)])
    func `texts are moderated`(text: String, objection: Moderation.Objection?) {
        #expect(Moderation.objection(to: text, limit: 200, lines: 6) == objection)
    }

    @Test(arguments: [
        ("2026-12-04T10:00", true), ("2026-02-29T10:00", false), ("2026-12-04T24:00", false),
        ("2026-12-04 10:00", false), ("2026-12-04T10:00Z", false), ("2026-12-4T10:00", false), ("", false),
    ])
    func `local times are read strictly`(text: String, isRead: Bool) {
        #expect((LocalMoment(text) != nil) == isRead)
    }

    @Test(arguments: 0..<24) func `the night is from 22 to 8`(hour: Int) {
        #expect(DeliveryWish.isNight(hour: hour) == (hour >= 22 || hour <= 7))
    }

    /// The whole machine: whatever is not said to be possible is not, and every certificate can come to an end.
    @Test func `the states lead to an end, and ends lead nowhere`() {
        let ends: Set<CertificateState> = [.used, .cancelled, .refunded, .expired]
        for state in CertificateState.allCases {
            #expect(state.successors.isEmpty == ends.contains(state))
            var reached: Set<CertificateState> = [state]
            while true {
                let more = reached.union(reached.flatMap { $0.successors })
                if more == reached { break }
                reached = more
            }
            #expect(!reached.isDisjoint(with: ends), "\(state) never ends")
        }
        #expect(CertificateState.allCases.filter(\.isSpendable).allSatisfy { $0.canBecome(.used) })
        #expect(!CertificateState.partlyUsed.canBecome(.refunded))
    }

    @Test func `a gift is told of in one SMS, whatever its giver is called`() throws {
        let value = try #require(Kopecks(300_000).flatMap { FaceValue($0) })
        let link = "https://club.example/g/" + String(repeating: "x", count: 22)
        for giver in ["", "Вера", String(repeating: "Я", count: 40), "👨‍👩‍👧‍👦👨‍👩‍👧‍👦"] {
            let text = GiftMessages.gift(value, from: giver, link: link).russian
            #expect(text.body.utf16.count <= 70)
            #expect(text.body.hasSuffix(" \(link)"))
            #expect(text.subject.contains(giver))
        }
    }

    @Test func `long texts are wrapped between words and end in an ellipsis`() {
        #expect(SVGText.wrapped("один два три", width: 8, lines: 6) == ["один два", "три"])
        #expect(SVGText.wrapped("абвгдежз", width: 3, lines: 6) == ["абв", "где", "жз"])
        #expect(SVGText.wrapped("а\nб\nв", width: 5, lines: 2) == ["а", "б…"])
    }
}
