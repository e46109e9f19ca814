/// A shop, by the name that the shop's own systems give it.
public struct StoreID: ValidatedText {
    public let text: String

    /// nil unless `description` is 1…32 characters of `A–Z a–z 0–9 _ -`.
    public init?(_ description: String) {
        guard 1...32 ~= description.utf8.count,
            description.utf8.allSatisfy({ $0.isLetter || $0.isDigit || $0.isUnderscore || $0.isHyphen })
        else { return nil }
        self.text = description
    }

    public static let requirement = "a store is 1 to 32 letters, digits, underscores or hyphens"
}
