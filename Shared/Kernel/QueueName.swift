/// A queue of the bus: `ledger.receipts` is the queue `receipts` of the service `ledger`, which alone may work on it.
public struct QueueName: ValidatedText, ExpressibleByStringLiteral {
    public let text: String
    /// The owner: what stands before the first dot.
    public let service: ServiceName

    /// nil unless `description` is a service's name, a dot, and 1…64 characters of `a–z 0–9 _ - .`.
    public init?(_ description: String) {
        let parts = description.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let service = ServiceName(String(parts[0])), 1...64 ~= parts[1].utf8.count,
            parts[1].utf8.allSatisfy({
                $0.isLowerCaseLetter || $0.isDigit || $0.isUnderscore || $0.isHyphen || $0 == UInt8(ascii: ".")
            })
        else { return nil }
        self.text = description
        self.service = service
    }

    /// A name written in the source; an impossible one is a programmer's error and traps.
    public init(stringLiteral text: String) {
        let name = Self(text)
        precondition(name != nil, Self.requirement)
        self.text = text
        self.service = name?.service ?? "_"
    }

    public static let requirement =
        "a queue is a service's name, a dot, and 1 to 64 lower-case letters, digits, underscores, hyphens or dots"
}
