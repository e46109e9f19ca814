public import Kernel

/// The number of a job. It carries the millisecond in which it was made.
public struct JobID: Hashable, Sendable, Codable, Comparable, LosslessStringConvertible {
    /// The number as the database keeps it.
    public let raw: Int64

    /// The job with this number.
    public init(_ raw: Int64) {
        self.raw = raw
    }

    /// nil unless the text is a decimal number.
    public init?(_ description: String) {
        guard let raw = Int64(description) else { return nil }
        self.init(raw)
    }

    /// The decimal number.
    public var description: String { String(self.raw) }

    /// When the job was made, by the clock of the database server, to the millisecond.
    public var time: Timestamp {
        Timestamp(microseconds: (self.raw >> 20) * 1000)
    }

    /// Made earlier.
    public static func < (left: Self, right: Self) -> Bool {
        left.raw < right.raw
    }

    /// Reads a JSON number.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes a JSON number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.raw)
    }
}
