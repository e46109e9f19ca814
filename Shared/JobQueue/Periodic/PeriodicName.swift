public import Kernel

/// The name of a periodic job: `ledger.nightly-report` belongs to the service `ledger`, which alone may declare it.
public struct PeriodicName: ValidatedText, ExpressibleByStringLiteral {
    public let text: String
    /// The owner: what stands before the first dot.
    public let service: ServiceName

    /// nil unless `description` is written like the name of a queue.
    public init?(_ description: String) {
        guard let name = QueueName(description) else { return nil }
        self.text = name.text
        self.service = name.service
    }

    /// A name written in the source; an impossible one is a programmer's error and traps.
    public init(stringLiteral text: String) {
        let name = Self(text)
        precondition(name != nil, Self.requirement)
        self.text = text
        self.service = name?.service ?? "_"
    }

    public static let requirement =
        "a periodic job is a service's name, a dot, and 1 to 64 lower-case letters, digits, underscores, hyphens or dots"
}
