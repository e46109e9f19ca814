/// Turns a parsed JSON text into a `Decodable` and keeps the books of which members were asked for.
///
/// Unlike Foundation's decoder it never coerces: an integer is digits without point or exponent, and a number that
/// does not fit is told apart from a value of another type.
struct JSONDecoding: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    init(_ value: JSONValue, at path: [any CodingKey] = []) {
        self.value = value
        self.codingPath = path
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = self.value else { throw self.mismatch([String: Any].self, "an object") }
        return KeyedDecodingContainer(KeyedContainer(object: object, codingPath: self.codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = self.value else { throw self.mismatch([Any].self, "an array") }
        return UnkeyedContainer(elements: elements, codingPath: self.codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        self
    }

    private func mismatch(_ type: Any.Type, _ wanted: String) -> DecodingError {
        DecodingError.typeMismatch(
            type,
            .init(
                codingPath: self.codingPath, debugDescription: "\(wanted) is expected, not \(self.value.typeName)"))
    }
}

/// A number that is one, but too large or too small for the type.
struct NumberOutOfRange: Error {
    let codingPath: [any CodingKey]
}

extension JSONDecoding: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        if case .null = self.value { true } else { false }
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = self.value else { throw self.mismatch(type, "a boolean") }
        return bool
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let string) = self.value else { throw self.mismatch(type, "a string") }
        return string
    }

    func decode(_ type: Double.Type) throws -> Double {
        try self.floatingPoint(type)
    }

    func decode(_ type: Float.Type) throws -> Float {
        try self.floatingPoint(type)
    }

    func decode(_ type: Int.Type) throws -> Int { try self.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try self.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try self.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try self.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try self.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try self.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try self.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try self.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try self.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try self.integer(type) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try T(from: self)
    }

    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        guard case .number(let text) = self.value,
            text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") })
        else { throw self.mismatch(type, "a whole number") }
        guard let integer = Integer(text) else { throw NumberOutOfRange(codingPath: self.codingPath) }
        return integer
    }

    private func floatingPoint<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Number.Type
    ) throws -> Number {
        guard case .number(let text) = self.value else { throw self.mismatch(type, "a number") }
        guard let number = Number(text), number.isFinite else { throw NumberOutOfRange(codingPath: self.codingPath) }
        return number
    }
}

private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSONObject
    let codingPath: [any CodingKey]

    var allKeys: [Key] {
        self.object.members.keys.compactMap { Key(stringValue: $0) }
    }

    func contains(_ key: Key) -> Bool {
        self.object[key.stringValue] != nil
    }

    private func decoder(_ key: any CodingKey) throws -> JSONDecoding {
        guard let value = self.object[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: self.codingPath, debugDescription: "the field is required"))
        }
        return JSONDecoding(value, at: self.codingPath + [key])
    }

    func decodeNil(forKey key: Key) throws -> Bool { try self.decoder(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try self.decoder(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try self.decoder(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try self.decoder(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try self.decoder(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try self.decoder(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try self.decoder(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try self.decoder(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try self.decoder(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try self.decoder(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try self.decoder(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try self.decoder(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try self.decoder(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try self.decoder(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try self.decoder(key).decode(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try self.decoder(key).decode(type) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try self.decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try self.decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try self.decoder(JSONKey("super"))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try self.decoder(key)
    }
}

private struct UnkeyedContainer: UnkeyedDecodingContainer {
    let elements: [JSONValue]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(elements: [JSONValue], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { self.elements.count }
    var isAtEnd: Bool { self.currentIndex == self.elements.count }

    /// Runs `body` on the present element and goes on to the next when it succeeds.
    private mutating func step<Result>(_ body: (JSONDecoding) throws -> Result) throws -> Result {
        let path = self.codingPath + [JSONKey(index: self.currentIndex)]
        guard !self.isAtEnd else {
            throw DecodingError.valueNotFound(
                Result.self, .init(codingPath: path, debugDescription: "the array is too short"))
        }
        let result = try body(JSONDecoding(self.elements[self.currentIndex], at: path))
        self.currentIndex += 1
        return result
    }

    mutating func decodeNil() throws -> Bool {
        guard !self.isAtEnd, case .null = self.elements[self.currentIndex] else { return false }
        self.currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: String.Type) throws -> String { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try self.step { try $0.decode(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try self.step { try $0.decode(type) } }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try self.step { try $0.decode(type) } }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try self.step { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try self.step { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder {
        try self.step { $0 }
    }
}
