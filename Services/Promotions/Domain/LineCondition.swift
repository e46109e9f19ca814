/// Which lines of a receipt something applies to. A pure tree: a new kind of condition is a new case here and a new
/// key in the JSON of a ruleset.
///
/// In JSON a condition is an object of one key: `{"tag": ["tobacco"]}`, `{"any": [… , …]}`, `{"not": …}`.
indirect enum LineCondition: Hashable, Sendable {
    case all([LineCondition])
    case any([LineCondition])
    case not(LineCondition)
    /// The line bears one of these tags.
    case tag(Set<String>)
    /// The line is of one of these categories.
    case category(Set<String>)

    func holds(for line: ReceiptLine) -> Bool {
        switch self {
        case .all(let conditions): conditions.allSatisfy { $0.holds(for: line) }
        case .any(let conditions): conditions.contains { $0.holds(for: line) }
        case .not(let condition): !condition.holds(for: line)
        case .tag(let tags): line.tags.contains(where: tags.contains)
        case .category(let categories): line.category.map(categories.contains) ?? false
        }
    }
}

extension LineCondition: Codable {
    private enum CodingKeys: String, CodingKey {
        case all
        case any
        case not
        case tag
        case category
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // An unknown condition must never be read as one that always holds: the ruleset is refused instead.
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a condition has exactly one known key"))
        }
        switch key {
        case .all: self = .all(try container.decode([LineCondition].self, forKey: key))
        case .any: self = .any(try container.decode([LineCondition].self, forKey: key))
        case .not: self = .not(try container.decode(LineCondition.self, forKey: key))
        case .tag: self = .tag(try container.decode(Set<String>.self, forKey: key))
        case .category: self = .category(try container.decode(Set<String>.self, forKey: key))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .all(let conditions): try container.encode(conditions, forKey: .all)
        case .any(let conditions): try container.encode(conditions, forKey: .any)
        case .not(let condition): try container.encode(condition, forKey: .not)
        case .tag(let tags): try container.encode(tags.sorted(), forKey: .tag)
        case .category(let categories): try container.encode(categories.sorted(), forKey: .category)
        }
    }
}
