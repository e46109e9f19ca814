import Crypto
import FoundationEssentials
import Kernel

/// The secret that a colleague's authenticator makes its codes from (RFC 6238: HMAC-SHA-1, six digits, 30 seconds, which
/// is what every authenticator knows).
struct TimeCodeSecret: Masked, Sendable {
    /// RFC 4226, 4: 160 bits are recommended.
    static let byteCount = 20
    static let period: Int64 = 30
    /// Codes of so many periods before and after the present one are taken: clocks differ (RFC 6238, 5.2).
    static let drift: Int64 = 1

    private let bytes: [UInt8]

    init(_ random: RandomBytes) { self.bytes = random.next(Self.byteCount) }

    /// The secret as it was sealed.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// What is sealed.
    func reveal() -> [UInt8] { self.bytes }

    /// The number of the 30 seconds that a moment lies in.
    static func step(at now: Timestamp) -> Int64 { now.secondsSince1970 / Self.period }

    /// The code of one step (RFC 4226, 5.3).
    func code(at step: Int64, digits: Int = 6) -> String {
        let counter = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Array($0) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: self.bytes)))
        let offset = Int(mac[19] & 0xf)
        let word = mac[offset..<offset + 4].reduce(UInt32.zero) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let text = String(word % (0..<digits).reduce(UInt32(1)) { power, _ in power * 10 })
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The step whose code this is, among those that are taken at the moment; nil when it is none of them. All of them are
    /// compared, each in constant time.
    func step(of code: String, at now: Timestamp) -> Int64? {
        let present = Self.step(at: now)
        let answer = Array(code.utf8)
        var found: Int64?
        for step in (present - Self.drift)...(present + Self.drift)
        where ConstantTime.equal(Array(self.code(at: step).utf8), answer) {
            found = step
        }
        return found
    }

    /// What an authenticator reads as a QR code.
    func address(of login: StaffLogin) -> String {
        "otpauth://totp/club:\(login)?secret=\(Base32.encode(self.bytes))&issuer=club"
    }

    var description: String { "***" }
}

/// RFC 4648, 6, without padding.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var (text, held, bits): ([UInt8], Int, Int) = ([], 0, 0)
        for byte in bytes {
            held = (held << 8 | Int(byte)) & 0xfff
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(Self.alphabet[held >> bits & 31])
            }
        }
        if bits > 0 { text.append(Self.alphabet[held << (5 - bits) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
