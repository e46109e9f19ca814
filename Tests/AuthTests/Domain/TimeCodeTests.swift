import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct TimeCodeTests {
    private let secret = TimeCodeSecret(bytes: Array("12345678901234567890".utf8))

    /// RFC 6238, appendix B, the column of SHA-1.
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ])
    func `the codes are those of RFC 6238`(seconds: Int, code: String) {
        let step = TimeCodeSecret.step(at: Timestamp(secondsSince1970: Int64(seconds)))
        #expect(self.secret.code(at: step, digits: 8) == code)
    }

    @Test func `a code is taken one period early and late, and no longer`() {
        let now = Timestamp(secondsSince1970: 1_800_000_000)
        let step = TimeCodeSecret.step(at: now)
        for difference in Int64(-3)...3 {
            let found = self.secret.step(of: self.secret.code(at: step + difference), at: now)
            #expect(found == (abs(difference) <= 1 ? step + difference : nil))
        }
        #expect(self.secret.step(of: "", at: now) == nil)
        #expect(self.secret.step(of: "abcdef", at: now) == nil)
    }

    /// RFC 4648, 10, without the padding.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
    ])
    func `base 32 is that of RFC 4648`(bytes: String, text: String) {
        #expect(Base32.encode(Array(bytes.utf8)) == text)
        #expect(Base32.decode(text) == Array(bytes.utf8))
    }

    @Test func `an authenticator shows the codes of the address that it has read`() throws {
        let address = self.secret.address(of: try #require(StaffLogin("orlova")))
        let app = try #require(Authenticator(address: address))
        let now = Timestamp(secondsSince1970: 1_800_000_000)
        #expect(self.secret.step(of: app.code(at: now), at: now) == TimeCodeSecret.step(at: now))
        #expect(app.nextCode(at: now) == app.code(at: now + .seconds(30)))
        for text in ["otpauth://totp/club:orlova", "otpauth://totp/x?secret=&issuer=club", "x?secret=MZXW1"] {
            #expect(Authenticator(address: text) == nil, "\(text)")
        }
    }

    @Test func `a password matches its own hash only, and the hash is read as it was written`() throws {
        let cost = PasswordHash.Cost(logarithm: 4)
        let hash = try PasswordHash(of: Secret("верный пароль 1"), cost: cost, random: .seeded(1))
        let read = try #require(PasswordHash(hash.text))
        #expect(read == hash)
        #expect(try read.matches(Secret("верный пароль 1")))
        #expect(try !read.matches(Secret("верный пароль 2")))
        #expect(try !PasswordHash.unmatchable(cost: cost).matches(Secret("")))
        #expect(try PasswordHash(of: Secret("верный пароль 1"), cost: cost, random: .seeded(2)) != hash)
        #expect(hash.text.hasPrefix("$scrypt$ln=4,r=8,p=3$"))
        #expect(PasswordHash("$scrypt$ln=40,r=8,p=3$\(String(repeating: "A", count: 22))$x") == nil)
        #expect(!"\(hash)".contains("scrypt"))
    }
}
