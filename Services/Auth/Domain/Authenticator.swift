import FoundationEssentials
public import Kernel

/// A colleague's authenticator: what an app on a phone does with the address that ``StaffAccounts`` hands out. For the demo
/// and for tests, whose colleagues have no phones.
public struct Authenticator: Sendable {
    private let secret: TimeCodeSecret

    /// - Parameter address: `otpauth://totp/…?secret=…`; nil when there is no secret in it.
    public init?(address: String) {
        guard let question = address.firstIndex(of: "?") else { return nil }
        let fields = address[address.index(after: question)...].split(separator: "&")
        guard let field = fields.first(where: { $0.hasPrefix("secret=") }),
            let bytes = Base32.decode(field.dropFirst("secret=".count)), !bytes.isEmpty
        else { return nil }
        self.secret = TimeCodeSecret(bytes: bytes)
    }

    /// The six digits that it shows at a moment.
    public func code(at moment: Timestamp) -> String {
        self.secret.code(at: TimeCodeSecret.step(at: moment))
    }

    /// The code that it shows next: taken as well, for clocks that differ.
    public func nextCode(at moment: Timestamp) -> String {
        self.secret.code(at: TimeCodeSecret.step(at: moment) + 1)
    }
}

extension Base32 {
    /// The bytes of a text without padding; nil for other characters than the alphabet's.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var (bytes, held, bits): ([UInt8], Int, Int) = ([], 0, 0)
        for character in text.utf8 {
            guard let value = Self.value(of: character) else { return nil }
            held = (held << 5 | value) & 0xfff
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(held >> bits & 0xff))
            }
        }
        return bytes
    }

    private static func value(of character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
        case UInt8(ascii: "2")...UInt8(ascii: "7"): Int(character - UInt8(ascii: "2")) + 26
        default: nil
        }
    }
}
