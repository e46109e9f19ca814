/// A moment, in whole microseconds as PostgreSQL's `timestamptz` keeps it.
public struct Timestamp: Hashable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted; below zero before it.
    public let microseconds: Int64

    /// The moment so many microseconds after 1970-01-01T00:00:00Z.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The moment so many whole seconds after 1970-01-01T00:00:00Z; stays at the earliest or latest when beyond.
    public init(secondsSince1970 seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(microseconds: overflow ? (seconds < 0 ? .min : .max) : product)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded towards the past. What tokens carry (RFC 7519, 2).
    public var secondsSince1970: Int64 {
        self.microseconds.floorDivided(by: 1_000_000).quotient
    }
}

extension Timestamp: Comparable {
    /// Earlier than.
    public static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }
}

extension Timestamp {
    /// Later by `duration`, parts of a microsecond dropped; stays at the earliest or latest moment when beyond.
    public static func + (moment: Self, duration: Duration) -> Self {
        let (seconds, attoseconds) = duration.components
        let (whole, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (span, tooLong) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        let (sum, tooFar) = moment.microseconds.addingReportingOverflow(span)
        guard !tooLarge, !tooLong, !tooFar else {
            return Self(microseconds: duration < .zero ? .min : .max)
        }
        return Self(microseconds: sum)
    }

    /// Earlier by `duration`; see `+`.
    public static func - (moment: Self, duration: Duration) -> Self {
        moment + (.zero - duration)
    }

    /// How long after `right` `left` is; below zero when it is before.
    public static func - (left: Self, right: Self) -> Duration {
        .microseconds(left.microseconds) - .microseconds(right.microseconds)
    }
}

extension Timestamp: Codable {
    /// Reads a JSON string of ISO 8601.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, "a moment is written as 2026-11-23T10:00:00Z") { Self($0) }
    }

    /// Writes a JSON string of ISO 8601 in UTC.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity, so that the remainder is never below zero.
    func floorDivided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
