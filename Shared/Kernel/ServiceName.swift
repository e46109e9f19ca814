/// A service of the house; also the name of its schema in the database.
public struct ServiceName: ValidatedText, ExpressibleByStringLiteral {
    public let text: String

    /// nil unless `description` is 1…32 characters of `a–z _`.
    public init?(_ description: String) {
        guard 1...32 ~= description.utf8.count,
            description.utf8.allSatisfy({ $0.isLowerCaseLetter || $0.isUnderscore })
        else { return nil }
        self.text = description
    }

    /// A name written in the source; an impossible one is a programmer's error and traps.
    public init(stringLiteral text: String) {
        let name = Self(text)
        precondition(name != nil, Self.requirement)
        self.text = text
    }

    public static let requirement = "a service is 1 to 32 lower-case letters or underscores"

    /// The schema that the service owns.
    public var schema: String { self.text }

    /// The database role that the service logs in with.
    public var role: String { "club_" + self.text }
}
