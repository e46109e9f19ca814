extension PostgresCell {
    /// An integer of any width that PostgreSQL has; a whole `numeric` too, because that is what `sum(bigint)` returns.
    func integer() throws -> Int64 {
        let type = self.type
        return try self.withBytes { bytes in
            switch (type, bytes.count) {
            case (.int8, 8): return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            case (.int4, 4): return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
            case (.int2, 2): return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
            case (.oidType, 4): return Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
            case (.numeric, 8...):
                guard let value = wholeNumeric(bytes) else { throw self.failure("a numeric that is no integer") }
                return value
            default: throw self.failure("\(type) where an integer was asked for")
            }
        }
    }

    func integer<I: FixedWidthInteger>(as _: I.Type) throws -> I {
        guard let value = I(exactly: try self.integer()) else { throw self.failure("an integer out of range") }
        return value
    }
}

/// `numeric` in binary: digits of base 10,000, the weight of the first, the sign, the displayed scale, then the digits
/// (numeric_send in https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c).
private func wholeNumeric(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    func word(_ index: Int) -> Int {
        Int(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)))
    }
    let count = word(0)
    let weight = word(1)
    let isNegative = word(2) == 0x4000
    guard isNegative || word(2) == 0, bytes.count == 8 + count * 2 else { return nil }
    guard count > 0 else { return 0 }
    guard weight >= 0, weight <= 4 else { return nil }
    var value: Int64 = 0
    for position in 0..<max(count, weight + 1) {
        let digit = position < count ? Int64(word(4 + position)) : 0
        guard position <= weight else {
            if digit != 0 { return nil }
            continue
        }
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 10_000)
        let (sum, carry) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
        if overflow || carry { return nil }
        value = sum
    }
    return value
}

extension Int16: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .int2 }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(self) }
    public static func decode(_ cell: PostgresCell) throws -> Int16 { try cell.integer(as: Int16.self) }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .int4 }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(self) }
    public static func decode(_ cell: PostgresCell) throws -> Int32 { try cell.integer(as: Int32.self) }
}

extension Int64: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .int8 }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(self) }
    public static func decode(_ cell: PostgresCell) throws -> Int64 { try cell.integer() }
}

extension Int: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .int8 }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(Int64(self)) }
    public static func decode(_ cell: PostgresCell) throws -> Int { try cell.integer(as: Int.self) }
}

extension Double: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .float8 }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(self.bitPattern) }

    public static func decode(_ cell: PostgresCell) throws -> Double {
        let type = cell.type
        return try cell.withBytes { bytes in
            switch (type, bytes.count) {
            case (.float8, 8):
                return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
            case (.float4, 4):
                return Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
            default: throw cell.failure("\(type) where a float was asked for")
            }
        }
    }
}

extension Bool: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .bool }
    public func encode(into buffer: inout ParameterBuffer) { buffer.append(UInt8(self ? 1 : 0)) }

    public static func decode(_ cell: PostgresCell) throws -> Bool {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .bool, bytes.count == 1 else {
                throw cell.failure("\(type) where a boolean was asked for")
            }
            return bytes[0] != 0
        }
    }
}
