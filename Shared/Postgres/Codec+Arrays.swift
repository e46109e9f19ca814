public import FoundationEssentials
public import Kernel

/// What arrays can be made of. `UInt8` is an element only: `[UInt8]` is a `bytea`, not an array of numbers.
public protocol PostgresArrayElement: Sendable {
    static var arrayType: PostgresType { get }
    static func encode(array: [Self], into buffer: inout ParameterBuffer) throws
    static func decode(array cell: PostgresCell) throws -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.arrayType }

    public func encode(into buffer: inout ParameterBuffer) throws {
        try Element.encode(array: self, into: &buffer)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public static func decode(_ cell: PostgresCell) throws -> [Element] {
        try Element.decode(array: cell)
    }
}

extension UInt8: PostgresArrayElement {
    public static var arrayType: PostgresType { .bytea }

    public static func encode(array: [UInt8], into buffer: inout ParameterBuffer) {
        buffer.append(bytes: array)
    }

    public static func decode(array cell: PostgresCell) throws -> [UInt8] {
        let type = cell.type
        return try cell.withBytes { bytes in
            guard type == .bytea else { throw cell.failure("\(type) where a bytea was asked for") }
            return Array(bytes)
        }
    }
}

/// One dimension, lower bound 1
/// (array_send in https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c).
extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    public static func encode(array: [Self], into buffer: inout ParameterBuffer) throws {
        buffer.append(Int32(array.isEmpty ? 0 : 1))
        buffer.append(Int32(array.contains { $0.isNull } ? 1 : 0))
        buffer.append(Self.postgresType.oid)
        guard !array.isEmpty else { return }
        guard let count = Int32(exactly: array.count) else {
            throw DatabaseError(.encodingFailed, context: "an array of \(array.count) elements")
        }
        buffer.append(count)
        buffer.append(Int32(1))
        for element in array {
            try buffer.appendSized { buffer in
                guard !element.isNull else { return true }
                try element.encode(into: &buffer)
                return false
            }
        }
    }

    public static func decode(array cell: PostgresCell) throws -> [Self] {
        try cell.withBytes { bytes in
            func word(_ offset: Int) throws -> Int32 {
                guard offset + 4 <= bytes.count else { throw cell.failure("a truncated array") }
                return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
            }
            let dimensions = try word(0)
            let type = PostgresType(oid: UInt32(bitPattern: try word(8)))
            guard dimensions > 0 else { return [] }
            guard dimensions == 1 else { throw cell.failure("an array of \(dimensions) dimensions") }
            let count = Int(try word(12))
            var array: [Self] = []
            array.reserveCapacity(count)
            var offset = 20
            for _ in 0..<count {
                let length = Int(try word(offset))
                offset += 4
                guard offset + max(0, length) <= bytes.count else { throw cell.failure("a truncated array") }
                let slice = length < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                array.append(try Self.decode(PostgresCell(element: slice, type: type)))
                offset += max(0, length)
            }
            return array
        }
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement & PostgresEncodable & PostgresDecodable {
    public static var arrayType: PostgresType { Wrapped.arrayType }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    public static var arrayType: PostgresType { .byteaArray }
}

extension Int16: PostgresArrayElement { public static var arrayType: PostgresType { .int2Array } }
extension Int32: PostgresArrayElement { public static var arrayType: PostgresType { .int4Array } }
extension Int64: PostgresArrayElement { public static var arrayType: PostgresType { .int8Array } }
extension Int: PostgresArrayElement { public static var arrayType: PostgresType { .int8Array } }
extension Double: PostgresArrayElement { public static var arrayType: PostgresType { .float8Array } }
extension Bool: PostgresArrayElement { public static var arrayType: PostgresType { .boolArray } }
extension String: PostgresArrayElement { public static var arrayType: PostgresType { .textArray } }
extension UUID: PostgresArrayElement { public static var arrayType: PostgresType { .uuidArray } }
extension Timestamp: PostgresArrayElement { public static var arrayType: PostgresType { .timestamptzArray } }
extension Duration: PostgresArrayElement { public static var arrayType: PostgresType { .intervalArray } }
extension JSONB: PostgresArrayElement { public static var arrayType: PostgresType { .jsonbArray } }
extension RawJSON: PostgresArrayElement { public static var arrayType: PostgresType { .jsonbArray } }

extension PostgresWrapper where Self: PostgresArrayElement, Stored: PostgresArrayElement {
    public static var arrayType: PostgresType { Stored.arrayType }
}
