import FoundationEssentials
import Kernel

/// Where answers to our letters go: `reply+<ticket>-<signature>@<domain>`. The signature decides the ticket, not the sender,
/// whom anybody can claim to be. All in lower case, since mail servers on the way may fold it.
struct ReplyAddress: Hashable, Sendable {
    private static let prefix = "reply+"
    /// 80 bits: guessing goes through a mail server.
    private static let signatureBytes = 10

    let ticket: Ticket.ID

    init(_ ticket: Ticket.ID) { self.ticket = ticket }

    /// nil unless the address is at our domain and signed by us.
    init?(_ address: String, domain: String, _ keys: SupportKeys) {
        let lowered = address.lowercased()
        guard lowered.utf8.count <= 254, let at = lowered.lastIndex(of: "@"),
            lowered[lowered.index(after: at)...] == domain.lowercased(), lowered.hasPrefix(Self.prefix)
        else { return nil }
        let local = lowered[..<at].dropFirst(Self.prefix.count)
        let parts = local.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = LowerBase32.decode(parts[0]), id.count == 16,
            let signature = LowerBase32.decode(parts[1])
        else { return nil }
        let ticket = Ticket.ID(Self.uuid(id))
        guard keys.isSigned(ticket.description, by: signature, for: .replyAddress, bytes: Self.signatureBytes) else {
            return nil
        }
        self.ticket = ticket
    }

    /// The address; nil when the domain is none.
    func address(domain: String, _ keys: SupportKeys) -> EmailAddress? {
        let id = withUnsafeBytes(of: self.ticket.raw.uuid) { Array($0) }
        let signature = keys.sign(self.ticket.description, for: .replyAddress, bytes: Self.signatureBytes)
        return EmailAddress("\(Self.prefix)\(LowerBase32.encode(id))-\(LowerBase32.encode(signature))@\(domain)")
    }

    private static func uuid(_ bytes: [UInt8]) -> UUID {
        bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

/// Base 32 (RFC 4648, 6) in lower case and without padding.
enum LowerBase32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(Self.alphabet[Int(buffer >> bits & 31)])
            }
            buffer &= (1 << bits) - 1
        }
        if bits > 0 { text.append(Self.alphabet[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil for what ``encode(_:)`` never writes.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for character in text.utf8 {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            buffer = buffer << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
            buffer &= (1 << bits) - 1
        }
        return Self.encode(bytes) == text ? bytes : nil
    }
}
