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
    /// The line is one of these products.
    case product(Set<String>)
    /// The line is (true) or is not (false) among what the member has chosen as favourites for the month.
    case favourite(Bool)

    func holds(for line: ReceiptLine, liking favourites: Favourites = Favourites()) -> Bool {
        switch self {
        case .all(let conditions): conditions.allSatisfy { $0.holds(for: line, liking: favourites) }
        case .any(let conditions): conditions.contains { $0.holds(for: line, liking: favourites) }
        case .not(let condition): !condition.holds(for: line, liking: favourites)
        case .product(let products): products.contains(line.sku)
        case .favourite(let isWanted): favourites.contain(line) == isWanted
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
        case product
        case favourite
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
        case .product: self = .product(try container.decode(Set<String>.self, forKey: key))
        case .favourite: self = .favourite(try container.decode(Bool.self, forKey: key))
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
        case .product(let products): try container.encode(products.sorted(), forKey: .product)
        case .favourite(let isWanted): try container.encode(isWanted, forKey: .favourite)
        }
    }
}

extension LineCondition {
    /// Whether it asks what the member likes.
    var asksForFavourites: Bool {
        switch self {
        case .all(let conditions), .any(let conditions): conditions.contains(where: \.asksForFavourites)
        case .not(let condition): condition.asksForFavourites
        case .favourite: true
        case .tag, .category, .product: false
        }
    }
}
