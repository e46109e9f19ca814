/// What makes a Russian receipt unique: the triple that the fiscal drive prints on it (54-ФЗ; tags 1041, 1040, 1077 of
/// the fiscal data formats). In JSON `{"fn": "9960440300000001", "fd": 1, "fpd": 2}`.
public struct FiscalID: Hashable, Sendable {
    /// The fiscal drive's number, 16 digits (ФН).
    public let fn: String
    /// The document's number within the drive, 1…9,999,999,999 (ФД).
    public let fd: Int64
    /// The document's fiscal sign, 0…4,294,967,295 (ФПД).
    public let fpd: Int64

    /// nil when one of the three is out of its range.
    public init?(fn: String, fd: Int64, fpd: Int64) {
        guard fn.utf8.count == 16, fn.utf8.allSatisfy(\.isDigit), 1...9_999_999_999 ~= fd, 0...4_294_967_295 ~= fpd
        else { return nil }
        (self.fn, self.fd, self.fpd) = (fn, fd, fpd)
    }
}

extension FiscalID: CustomStringConvertible {
    /// `fn/fd/fpd`.
    public var description: String { "\(self.fn)/\(self.fd)/\(self.fpd)" }
}

extension FiscalID: Codable {
    private enum CodingKeys: String, CodingKey {
        case fn, fd, fpd
    }

    /// Reads a JSON object.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let id = Self(
            fn: try container.decode(String.self, forKey: .fn),
            fd: try container.decode(Int64.self, forKey: .fd),
            fpd: try container.decode(Int64.self, forKey: .fpd))
        guard let id else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "fn has 16 digits, fd is 1 to 9999999999, fpd is 0 to 4294967295"))
        }
        self = id
    }
}
