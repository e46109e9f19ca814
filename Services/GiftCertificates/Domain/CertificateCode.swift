import Kernel

/// The code of a gift certificate: 80 random bits as 16 characters of Crockford's base 32 and a check character
/// (https://www.crockford.com/base32.html). Whoever has it can spend the money, so it never prints.
struct CertificateCode: Masked, Hashable, Sendable {
    /// The ten random bytes: what look-up and sealing work on.
    let bytes: [UInt8]

    static let byteCount = 10
    private static let characterCount = 16
    private static let letters = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private static let checkLetters = Self.letters + Array("*~$=U".utf8)

    /// A new code.
    static func make(random: RandomBytes) -> CertificateCode {
        CertificateCode(known: random.next(Self.byteCount))
    }

    /// nil unless there are ten bytes.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    private init(known bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a code has ten bytes")
        self.bytes = bytes
    }

    /// Reads a code as people write it: in both cases, with hyphens and spaces anywhere, `O` for `0`, `I` and `L` for
    /// `1`. nil when a character is wrong or the check character does not fit: a slip of the finger never reaches the
    /// database.
    init?(_ text: String) {
        guard text.utf8.count <= 64 else { return nil }
        let written = text.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }.map(Self.plain)
        guard written.count == Self.characterCount + 1 else { return nil }
        var bytes: [UInt8] = []
        var (pending, bits) = (UInt32(0), 0)
        for letter in written.dropLast() {
            guard let value = Self.letters.firstIndex(of: letter) else { return nil }
            pending = pending << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
            }
        }
        guard bytes.count == Self.byteCount, written.last == Self.checkLetters[Self.remainder(of: bytes)] else {
            return nil
        }
        self.bytes = bytes
    }

    /// The letter that a reader meant.
    private static func plain(_ byte: UInt8) -> UInt8 {
        let upper = 0x61...0x7A ~= byte ? byte - 0x20 : byte
        return switch upper {
        case UInt8(ascii: "O"): UInt8(ascii: "0")
        case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
        default: upper
        }
    }

    /// The number modulo 37, a prime larger than the alphabet: it notices every single wrong letter and every swap.
    private static func remainder(of bytes: [UInt8]) -> Int {
        bytes.reduce(0) { ($0 * 256 + Int($1)) % 37 }
    }

    /// The 17 characters, for the one who may see them: `7ZG4…`, what a QR code says.
    var text: String {
        var letters: [UInt8] = []
        var (pending, bits) = (UInt32(0), 0)
        for byte in self.bytes {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                letters.append(Self.letters[Int(pending >> UInt32(bits)) & 31])
            }
        }
        letters.append(Self.checkLetters[Self.remainder(of: self.bytes)])
        return String(decoding: letters, as: UTF8.self)
    }

    /// In fours with hyphens, as it is printed.
    var grouped: String {
        let letters = Array(self.text)
        return stride(from: 0, to: letters.count, by: 4)
            .map { String(letters[$0..<min($0 + 4, letters.count)]) }.joined(separator: "-")
    }

    /// Always three stars.
    var description: String { "***" }
}

/// What the link to a gift carries: 128 random bits that show the gift and let a member claim it. It is not the code,
/// so that no code stands in an address, in a log of a proxy or in a messenger's preview.
struct GiftLink: Masked, Hashable, Sendable {
    let bytes: [UInt8]

    static let byteCount = 16

    static func make(random: RandomBytes) -> GiftLink {
        let bytes = random.next(Self.byteCount)
        precondition(bytes.count == Self.byteCount, "a link has sixteen bytes")
        return GiftLink(bytes: bytes)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil unless it is base64url of sixteen bytes.
    init?(_ text: String) {
        guard text.utf8.count <= 32, let bytes = Base64URL.decode(text), bytes.count == Self.byteCount else {
            return nil
        }
        self.bytes = bytes
    }

    /// 22 characters for an address.
    var text: String { Base64URL.encode(self.bytes) }

    /// Always three stars.
    var description: String { "***" }
}
