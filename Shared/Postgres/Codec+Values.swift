public import FoundationEssentials
public import Kernel

extension String: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .text }

    public func encode(into buffer: inout ParameterBuffer) throws {
        // PostgreSQL's text cannot hold this character; its own error would quote the value.
        guard !self.utf8.contains(0) else {
            throw DatabaseError(.encodingFailed, context: "a text contains the character NUL")
        }
        buffer.append(bytes: self.utf8)
    }

    public static func decode(_ cell: PostgresCell) throws -> String {
        let type = cell.type
        guard type.isTextual else { throw cell.failure("\(type) where a text was asked for") }
        return try cell.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}

extension UUID: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .uuid }

    public func encode(into buffer: inout ParameterBuffer) {
        withUnsafeBytes(of: self.uuid) { buffer.append(bytes: $0) }
    }

    public static func decode(_ cell: PostgresCell) throws -> UUID {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .uuid, bytes.count == 16 else { throw cell.failure("\(type) where a uuid was asked for") }
            return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
        }
    }
}

/// `timestamptz`: microseconds since 2000-01-01 UTC. PostgreSQL's `infinity` does not fit and is refused.
extension Timestamp: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .timestamptz }

    private static let epochOffset: Int64 = 946_684_800_000_000

    public func encode(into buffer: inout ParameterBuffer) throws {
        let (value, overflow) = self.microseconds.subtractingReportingOverflow(Self.epochOffset)
        guard !overflow else { throw DatabaseError(.encodingFailed, context: "a timestamp out of range") }
        buffer.append(value)
    }

    public static func decode(_ cell: PostgresCell) throws -> Timestamp {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .timestamptz, bytes.count == 8 else {
                throw cell.failure("\(type) where a timestamptz was asked for")
            }
            let value = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            let (sum, overflow) = value.addingReportingOverflow(Self.epochOffset)
            guard !overflow, value != .min, value != .max else { throw cell.failure("an infinite timestamptz") }
            return Timestamp(microseconds: sum)
        }
    }
}

/// `interval`, in whole microseconds. Months have no fixed length and are refused when read; days count 24 hours.
extension Duration: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .interval }

    public func encode(into buffer: inout ParameterBuffer) throws {
        let (seconds, attoseconds) = self.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (microseconds, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        guard !overflow, !carry else { throw DatabaseError(.encodingFailed, context: "a duration out of range") }
        buffer.append(microseconds)
        buffer.append(Int32(0))
        buffer.append(Int32(0))
    }

    public static func decode(_ cell: PostgresCell) throws -> Duration {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .interval, bytes.count == 16 else {
                throw cell.failure("\(type) where an interval was asked for")
            }
            let microseconds = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            let days = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))
            let months = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self))
            guard months == 0 else { throw cell.failure("an interval with months") }
            return .seconds(Int64(days) * 86_400) + .microseconds(microseconds)
        }
    }
}

/// A value stored as JSON in a `jsonb` column. Read from `json` too.
public struct JSONB<Value: Codable & Sendable>: PostgresEncodable, PostgresDecodable {
    public var value: Value

    public init(_ value: Value) {
        self.value = value
    }

    public static var postgresType: PostgresType { .jsonb }

    public func encode(into buffer: inout ParameterBuffer) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let data: Data
        do {
            data = try encoder.encode(self.value)
        } catch {
            // Foundation's error may hold the value.
            throw DatabaseError(.encodingFailed, context: "\(Value.self) has no JSON")
        }
        buffer.append(UInt8(1))
        buffer.append(bytes: data)
    }

    public static func decode(_ cell: PostgresCell) throws -> JSONB<Value> {
        let data = Data(try RawJSON.decode(cell).text.utf8)
        do {
            return JSONB(try JSONDecoder().decode(Value.self, from: data))
        } catch {
            throw cell.failure("JSON that is no \(Value.self)")
        }
    }
}

/// JSON as text, for who passes it on unread. Written as `jsonb`, read from `jsonb` and `json`.
public struct RawJSON: PostgresEncodable, PostgresDecodable, Hashable {
    public var text: String

    public init(_ text: String) {
        self.text = text
    }

    public static var postgresType: PostgresType { .jsonb }

    public func encode(into buffer: inout ParameterBuffer) throws {
        buffer.append(UInt8(1))
        try self.text.encode(into: &buffer)
    }

    public static func decode(_ cell: PostgresCell) throws -> RawJSON {
        let type = cell.type
        return try cell.withBytes { bytes in
            switch type {
            case .json: return RawJSON(String(decoding: bytes, as: UTF8.self))
            // The first byte is the version of the format; there is only 1.
            case .jsonb where bytes.first == 1: return RawJSON(String(decoding: bytes.dropFirst(), as: UTF8.self))
            default: throw cell.failure("\(type) where JSON was asked for")
            }
        }
    }
}
