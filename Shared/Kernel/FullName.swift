/// A person's name as in the passport. In JSON `{"last": …, "first": …, "middle": …}`, the last one optional.
public struct FullName: Masked, Hashable, Sendable {
    /// Фамилия. Personal data: never for logs.
    public let last: String
    /// Имя. Personal data: never for logs.
    public let first: String
    /// Отчество, which not everybody has. Personal data: never for logs.
    public let middle: String?

    /// nil unless each part is 1…64 characters, begins with a letter and has only letters, spaces, hyphens, dots
    /// and apostrophes. Surrounding spaces are dropped, a middle name of spaces only is none.
    public init?(last: String, first: String, middle: String? = nil) {
        guard let last = Self.part(last), let first = Self.part(first) else { return nil }
        self.last = last
        self.first = first
        switch middle {
        case .some(let text) where !text.allSatisfy(\.isWhitespace):
            guard let middle = Self.part(text) else { return nil }
            self.middle = middle
        default:
            self.middle = nil
        }
    }

    private static func part(_ text: String) -> String? {
        // A character may carry any number of accents, so the bytes have a limit of their own.
        guard text.utf8.count <= 512 else { return nil }
        let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        let allowed = trimmed.allSatisfy { $0.isLetter || " -.'’".contains($0) }
        guard trimmed.first?.isLetter == true, trimmed.count <= 64, allowed else { return nil }
        return String(trimmed)
    }

    /// Always three stars.
    public var description: String { "***" }
}

extension FullName: Codable {
    private enum CodingKeys: String, CodingKey {
        case last, first, middle
    }

    /// Reads a JSON object.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = Self(
            last: try container.decode(String.self, forKey: .last),
            first: try container.decode(String.self, forKey: .first),
            middle: try container.decodeIfPresent(String.self, forKey: .middle))
        guard let name else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a name is 1 to 64 letters a part"))
        }
        self = name
    }
}
