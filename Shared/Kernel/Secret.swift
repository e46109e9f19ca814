/// Bytes that give access to something: a password, a key, a token.
public struct Secret: Masked, Sendable {
    private let bytes: [UInt8]

    /// Keeps the bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Keeps the UTF-8 of a text.
    public init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// The bytes, for the one place that uses them.
    public func reveal() -> [UInt8] {
        self.bytes
    }

    /// The bytes read as UTF-8, for the one place that uses them.
    public var text: String {
        String(decoding: self.bytes, as: UTF8.self)
    }

    /// Always three stars.
    public var description: String { "***" }
}
