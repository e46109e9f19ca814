/// An e-mail address as the mail of today takes it. In JSON a string.
public struct EmailAddress: Masked, Hashable, Sendable {
    /// `anna@example.org`, the domain in lower case. Personal data: for the database and for the mail server, never for logs.
    public let address: String

    /// nil unless `text` is `local@domain`: at most 64 bytes of a dot-atom (RFC 5322, 3.2.3, letters beyond ASCII refused)
    /// before the sign, and a domain of at least two labels after it, 254 bytes together (RFC 5321, 4.5.3.1).
    public init?(_ text: String) {
        guard text.utf8.count <= 254, let at = text.lastIndex(of: "@") else { return nil }
        let (local, domain) = (text[..<at], text[text.index(after: at)...])
        guard 1...64 ~= local.utf8.count, !local.hasPrefix("."), !local.hasSuffix("."), !local.contains(".."),
            local.utf8.allSatisfy(Self.isAtomByte), Self.isDomain(domain)
        else { return nil }
        self.address = "\(local)@\(domain.lowercased())"
    }

    private static func isAtomByte(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "!#$%&'*+-/=?^_`{|}~.".utf8.contains(byte)
    }

    private static func isDomain(_ domain: Substring) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                1...63 ~= label.utf8.count && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0.isHyphen }
            }
    }

    /// `a***@example.org`.
    public var description: String {
        let domain = self.address.drop { $0 != "@" }
        return "\(self.address.prefix(1))***\(domain)"
    }
}

extension EmailAddress: Codable {
    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, "an e-mail address looks like name@example.org") { Self($0) }
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.address)
    }
}
