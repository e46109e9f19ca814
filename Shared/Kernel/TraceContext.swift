/// Where in a distributed trace the present work belongs (W3C Trace Context, level 1: the `traceparent` header).
public struct TraceContext: Hashable, Sendable {
    /// 16 bytes, not all zero: the whole trace.
    public let traceID: [UInt8]
    /// 8 bytes, not all zero: the span that work done now has as its parent.
    public let spanID: [UInt8]
    /// Whether the caller records the trace.
    public let isSampled: Bool

    /// The trace of the present task; bound for each request and each job, nil outside of them.
    @TaskLocal public static var current: TraceContext?

    /// nil unless there are 16 and 8 bytes, neither all zero.
    public init?(traceID: [UInt8], spanID: [UInt8], isSampled: Bool) {
        guard traceID.count == 16, spanID.count == 8, traceID.contains(where: { $0 != 0 }),
            spanID.contains(where: { $0 != 0 })
        else { return nil }
        (self.traceID, self.spanID, self.isSampled) = (traceID, spanID, isSampled)
    }

    /// Reads a `traceparent`. Fields that a later version appends are ignored, as section 4 of the recommendation asks;
    /// version `ff`, upper case, and anything else out of shape give nil.
    public init?(traceparent: String) {
        let bytes = Array(traceparent.utf8)
        let hyphen = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == hyphen, bytes[35] == hyphen, bytes[52] == hyphen,
            let version = Self.bytes(ofHex: bytes[0..<2])?.first, version != 0xFF,
            bytes.count == 55 || (version > 0 && bytes[55] == hyphen),
            let traceID = Self.bytes(ofHex: bytes[3..<35]), let spanID = Self.bytes(ofHex: bytes[36..<52]),
            let flags = Self.bytes(ofHex: bytes[53..<55])?.first
        else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1)
    }

    /// Begins a trace of one's own.
    public static func root(random: RandomBytes, isSampled: Bool = false) -> TraceContext {
        TraceContext(
            known: Self.nonZero(random.next(16)), spanID: Self.nonZero(random.next(8)), isSampled: isSampled)
    }

    /// The same trace with a new span.
    public func child(random: RandomBytes) -> TraceContext {
        TraceContext(known: self.traceID, spanID: Self.nonZero(random.next(8)), isSampled: self.isSampled)
    }

    /// The header's text, version 00.
    public var traceparent: String {
        "00-\(self.traceIDText)-\(self.spanIDText)-\(self.isSampled ? "01" : "00")"
    }

    /// 32 lower-case hexadecimal digits, for logs.
    public var traceIDText: String {
        Self.hex(self.traceID)
    }

    /// 16 lower-case hexadecimal digits.
    public var spanIDText: String {
        Self.hex(self.spanID)
    }

    private init(known traceID: [UInt8], spanID: [UInt8], isSampled: Bool) {
        (self.traceID, self.spanID, self.isSampled) = (traceID, spanID, isSampled)
    }

    /// All zero means "none" in a traceparent and comes from no real generator; a test's generator may give it.
    private static func nonZero(_ bytes: [UInt8]) -> [UInt8] {
        bytes.contains { $0 != 0 } ? bytes : bytes.dropLast() + [1]
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func hex(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(ofHex text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var half: UInt8?
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let high = half {
                bytes.append(high << 4 | value)
                half = nil
            } else {
                half = value
            }
        }
        return half == nil ? bytes : nil
    }
}
