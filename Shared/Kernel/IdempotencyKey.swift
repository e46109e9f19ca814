/// What a client calls one attempt to change something, so that asking again is not doing again.
public struct IdempotencyKey: ValidatedText {
    public let text: String

    /// nil unless `description` is 1…128 printable ASCII characters.
    public init?(_ description: String) {
        guard 1...128 ~= description.utf8.count, description.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
        self.text = description
    }

    public static let requirement = "an idempotency key is 1 to 128 printable ASCII characters"
}
