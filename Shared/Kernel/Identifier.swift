public import FoundationEssentials

/// The identity of one `Subject`: a UUID that cannot be mistaken for the identity of something else.
///
/// The text form, which is also the JSON form, is lower case as PostgreSQL prints it. Both cases are read.
public struct Identifier<Subject>: Hashable, Sendable {
    /// The UUID itself.
    public let raw: UUID

    /// Wraps a UUID that is known to identify a `Subject`.
    public init(_ raw: UUID) {
        self.raw = raw
    }
}

extension Identifier: LosslessStringConvertible {
    /// Reads the 36-character form; nil for anything else.
    public init?(_ description: String) {
        guard description.utf8.count == 36, let raw = UUID(uuidString: description) else { return nil }
        self.init(raw)
    }

    /// The 36-character form in lower case.
    public var description: String {
        self.raw.uuidString.lowercased()
    }
}

extension Identifier: Comparable {
    /// Orders by the bytes, as PostgreSQL does; identifiers of version 7 are thereby ordered by their time.
    public static func < (left: Self, right: Self) -> Bool {
        left.raw < right.raw
    }
}

extension Identifier: Codable {
    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, "an identifier is a UUID of 36 characters") { Self($0) }
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
