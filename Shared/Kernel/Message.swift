/// What services send to each other over the bus: JSON with a name and a version.
///
/// A change that old readers cannot read gets a new version; a golden file per message keeps old jobs readable.
public protocol Message: Codable, Sendable {
    /// `<sender or receiver>.<what>` in kebab case, for ever the same: `ledger.points-earned`.
    static var name: String { get }
    /// From 1; 1 unless said otherwise.
    static var version: Int { get }
    /// Whether it carries what nobody but its receiver may read, such as names and phones: it is then encrypted on its way,
    /// wherever it goes. False unless said otherwise; whole queues can be encrypted by their owners, too.
    static var isConfidential: Bool { get }
    /// Messages of one queue with the same key are handled in the order of sending; nil means any order.
    var orderingKey: String? { get }
}

extension Message {
    /// The first version.
    public static var version: Int { 1 }
    /// Not by itself.
    public static var isConfidential: Bool { false }
    /// Any order.
    public var orderingKey: String? { nil }
}

/// Something to be done by one receiver. Named in the imperative.
public protocol Command: Message {
    /// Where the receiver takes it from.
    static var queue: QueueName { get }
}

/// Something that has happened; goes to every queue subscribed to its name. Named in the past.
public protocol Event: Message {}

/// A command whose sender waits for the answer.
public protocol Call: Command {
    /// The answer. A refusal for business reasons is one of its values, never an error.
    associatedtype Reply: Codable & Sendable
    /// What becomes of the call when its sender is gone; `.durable` unless said otherwise.
    static var durability: CallDurability { get }
}

extension Call {
    /// Carried out whatever happens to the caller.
    public static var durability: CallDurability { .durable }
}

/// What becomes of a call when nobody waits for it any more.
public enum CallDurability: String, Sendable, Codable {
    /// It is carried out all the same: it changes something.
    case durable
    /// It is forgotten at its deadline: it only asks.
    case volatile
}
