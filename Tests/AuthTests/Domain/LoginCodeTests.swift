import Crypto
import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct LoginCodeTests {
    private let pepper = SymmetricKey(data: [UInt8](repeating: 7, count: 32))

    private func code(_ seed: UInt64, _ length: CodeLength = .four, pepper: SymmetricKey? = nil) -> LoginCode {
        LoginCode(challenge: Challenge.ID(UUID(random: .seeded(seed))), length: length, pepper: pepper ?? self.pepper)
    }

    @Test func `the same challenge and pepper give the same code each time`() {
        #expect(self.code(1).reveal() == self.code(1).reveal())
    }

    @Test func `another challenge, pepper or length gives another code`() {
        let other = SymmetricKey(data: [UInt8](repeating: 8, count: 32))
        #expect(Set((1...200).map { self.code($0, .six).reveal() }).count > 190)
        #expect((1...20).contains { self.code($0).reveal() != self.code($0, pepper: other).reveal() })
        #expect((1...20).contains { !self.code($0, .six).reveal().hasSuffix(self.code($0).reveal()) })
    }

    @Test(arguments: [CodeLength.four, .six])
    func `a code has as many digits as it should, leading zeros included`(length: CodeLength) {
        let codes = (1...2000).map { self.code($0, length).reveal() }
        #expect(codes.allSatisfy { $0.utf8.count == Int(length.rawValue) && $0.allSatisfy(\.isWholeNumber) })
        #expect(codes.contains { $0.hasPrefix("0") })
    }

    @Test func `every digit is as likely as any other in every place`() {
        let count = 10_000
        let codes = (1...UInt64(count)).map { Array(self.code($0).reveal().utf8) }
        for place in 0..<4 {
            let counts = Dictionary(grouping: codes) { $0[place] }.mapValues(\.count)
            #expect(counts.count == 10)
            // Five standard deviations of a binomial of 10 000 at a tenth: 150.
            #expect(counts.values.allSatisfy { abs($0 - count / 10) < 150 })
        }
    }

    @Test func `only the whole code matches`() {
        let code = self.code(3)
        let text = code.reveal()
        #expect(code.matches(text))
        for wrong in ["", String(text.dropLast()), text + "0", String(text.reversed()) + " ", "٠٠٠٠"] {
            #expect(!code.matches(wrong))
        }
    }

    @Test func `a code does not print`() {
        let code = self.code(4)
        var dumped = ""
        dump(code, to: &dumped)
        #expect(!"\(code) \(String(reflecting: code)) \(dumped)".contains(code.reveal()))
    }

    @Test func `the text of a code fits one segment of Cyrillic and begins with the code`() {
        let text = SMSText.login(self.code(5, .six))
        #expect(text.utf16.count <= SMSText.segmentUTF16Units)
        #expect(text.hasPrefix(self.code(5, .six).reveal()))
    }
}
