public import FoundationEssentials
public import Kernel

// How the house's vocabulary is stored. Masked types are stored in clear: what must be encrypted is encrypted before.

extension Identifier: PostgresWrapper, PostgresArrayElement {
    public var stored: UUID { self.raw }
    public init?(stored: UUID) { self.init(stored) }
}

extension Points: PostgresWrapper, PostgresArrayElement {
    public var stored: Int64 { self.amount }
    public init?(stored: Int64) { self.init(stored) }
}

extension Kopecks: PostgresWrapper, PostgresArrayElement {
    public var stored: Int64 { self.amount }
    public init?(stored: Int64) { self.init(stored) }
}

extension Quantity: PostgresWrapper, PostgresArrayElement {
    public var stored: Int64 { self.thousandths }
    public init?(stored: Int64) { self.init(thousandths: stored) }
}

extension CardNumber: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.digits }
    public init?(stored: String) { self.init(stored) }
}

extension PhoneNumber: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.e164 }
    public init?(stored: String) {
        guard let phone = try? PhoneNumber(parsing: stored) else { return nil }
        self = phone
    }
}

extension StoreID: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.text }
    public init?(stored: String) { self.init(stored) }
}

extension QueueName: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.text }
    public init?(stored: String) { self.init(stored) }
}

extension ServiceName: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.text }
    public init?(stored: String) { self.init(stored) }
}

extension IdempotencyKey: PostgresWrapper, PostgresArrayElement {
    public var stored: String { self.text }
    public init?(stored: String) { self.init(stored) }
}

/// `date`: days since 2000-01-01.
extension CivilDate: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .date }
    public static var arrayType: PostgresType { .dateArray }

    private static let epochOffset: Int64 = 10_957

    public func encode(into buffer: inout ParameterBuffer) throws {
        guard let days = Int32(exactly: self.daysSince1970 - Self.epochOffset) else {
            throw DatabaseError(.encodingFailed, context: "a date out of range")
        }
        buffer.append(days)
    }

    public static func decode(_ cell: PostgresCell) throws -> CivilDate {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .date, bytes.count == 4 else { throw cell.failure("\(type) where a date was asked for") }
            let days = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
            // The two ends stand for PostgreSQL's infinities.
            guard days != .min, days != .max else { throw cell.failure("an infinite date") }
            return CivilDate(daysSince1970: Int64(days) + Self.epochOffset)
        }
    }
}
