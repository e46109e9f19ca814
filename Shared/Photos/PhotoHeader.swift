/// What the first bytes of a picture say: its kind and how large it is, read before anything is decoded.
public struct PhotoHeader: Hashable, Sendable {
    /// The kinds that are taken.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case jpeg, png, webp

        /// As HTTP names it.
        public var contentType: String { "image/\(self.rawValue)" }
        /// As a file is named.
        public var suffix: String { self == .jpeg ? "jpg" : self.rawValue }
    }

    /// Bytes of a file.
    public static let bytesMax = 10 << 20
    /// A picture of a few bytes can be one of gigabytes when it is decoded.
    public static let pixelsMax = 40_000_000

    /// What it is.
    public let kind: Kind
    /// Pixels from left to right.
    public let width: Int
    /// Pixels from top to bottom.
    public let height: Int

    /// Whether nobody may decode it: a picture of a few bytes can be one of gigabytes.
    public var isTooLarge: Bool {
        let (pixels, overflow) = self.width.multipliedReportingOverflow(by: self.height)
        return overflow || pixels > Self.pixelsMax
    }

    /// nil for what is none of the three kinds, or breaks off before it says how large it is.
    public init?(_ bytes: [UInt8]) {
        let found: (Kind, Int, Int)?
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            found = Self.jpegSize(bytes).map { (.jpeg, $0.width, $0.height) }
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            found = Self.pngSize(bytes).map { (.png, $0.width, $0.height) }
        } else if bytes.count >= 16, bytes.starts(with: Array("RIFF".utf8)), bytes[8..<12].elementsEqual("WEBP".utf8) {
            found = Self.webpSize(bytes).map { (.webp, $0.width, $0.height) }
        } else {
            found = nil
        }
        guard let (kind, width, height) = found, width > 0, height > 0 else { return nil }
        (self.kind, self.width, self.height) = (kind, width, height)
    }

    private typealias Size = (width: Int, height: Int)

    /// ITU-T T.81, B.2.2: the frame header, behind segments that say how long they are.
    private static func jpegSize(_ bytes: [UInt8]) -> Size? {
        var position = 2
        while position + 4 <= bytes.count {
            guard bytes[position] == 0xFF else { return nil }
            let marker = bytes[position + 1]
            switch marker {
            case 0xFF: position += 1
            case 0x01, 0xD0...0xD7: position += 2
            case 0xC4, 0xC8, 0xCC: position += 2 + Self.big(bytes, position + 2, 2)
            case 0xC0...0xCF:
                guard position + 9 <= bytes.count else { return nil }
                return (Self.big(bytes, position + 7, 2), Self.big(bytes, position + 5, 2))
            case 0xD8, 0xD9, 0xDA: return nil
            default:
                let length = Self.big(bytes, position + 2, 2)
                guard length >= 2 else { return nil }
                position += 2 + length
            }
        }
        return nil
    }

    /// PNG (W3C 2003), 11.2.2: IHDR comes first.
    private static func pngSize(_ bytes: [UInt8]) -> Size? {
        guard bytes.count >= 33, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return (Self.big(bytes, 16, 4), Self.big(bytes, 20, 4))
    }

    /// RFC 9649, 2.5 to 2.7: lossy, lossless, extended.
    private static func webpSize(_ bytes: [UInt8]) -> Size? {
        guard bytes.count >= 30 else { return nil }
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8 ":
            guard bytes[23..<26].elementsEqual([0x9D, 0x01, 0x2A]) else { return nil }
            return (Self.little(bytes, 26, 2) & 0x3FFF, Self.little(bytes, 28, 2) & 0x3FFF)
        case "VP8L":
            guard bytes[20] == 0x2F else { return nil }
            let bits = Self.little(bytes, 21, 4)
            return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case "VP8X": return (Self.little(bytes, 24, 3) + 1, Self.little(bytes, 27, 3) + 1)
        default: return nil
        }
    }

    private static func big(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
        bytes[start..<(start + count)].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func little(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
        bytes[start..<(start + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
