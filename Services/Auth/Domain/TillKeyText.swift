import Crypto
import FoundationEssentials
import Kernel

/// A till's API key, `ck_<id>_<secret>`: 80 random bits that name it and 160 that prove it, in lower-case Crockford
/// base 32. The secret is shown once, when the key is made; its SHA-256 is what stays.
struct TillKeyText: Masked, Sendable {
    let id: String
    private let secret: String

    init(_ random: RandomBytes) {
        self.id = Self.text(random.next(10))
        self.secret = Self.text(random.next(20))
    }

    /// What is stored and told to the services that check keys.
    var secretHash: [UInt8] { Array(SHA256.hash(data: Array(self.secret.utf8))) }

    /// The whole key, for the person who asked for it.
    func reveal() -> String { "ck_\(self.id)_\(self.secret)" }

    var description: String { "ck_\(self.id)_***" }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// Five bits a character; both lengths in use divide evenly.
    private static func text(_ bytes: [UInt8]) -> String {
        var (text, held, bits): ([UInt8], Int, Int) = ([], 0, 0)
        for byte in bytes {
            held = (held << 8 | Int(byte)) & 0xfff
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(Self.alphabet[held >> bits & 31])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
