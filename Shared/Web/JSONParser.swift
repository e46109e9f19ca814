/// Reads JSON as RFC 8259 has it and nothing more: no comments, no trailing commas, no names twice in one object
/// (which section 4 leaves open, and which two readers may understand differently), nothing after the value.
struct JSONParser {
    /// Why a text is refused.
    enum Failure: Error, Equatable {
        /// Not JSON; the position is a byte offset.
        case malformed(at: Int)
        /// More levels of arrays and objects than allowed.
        case tooDeep
        /// A name that appears twice in one object.
        case duplicate(JSONPointer)
    }

    private let bytes: [UInt8]
    private var position = 0
    /// Where the parser is; a pointer is made of it only when something is wrong.
    private var path: [JSONKey] = []
    private let depthLimit: Int

    /// Reads the whole of `bytes`.
    static func parse(_ bytes: [UInt8], depthLimit: Int) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes: bytes, depthLimit: depthLimit)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.malformed }
        return value
    }

    private init(bytes: [UInt8], depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    private var malformed: Failure { .malformed(at: self.position) }

    private var next: UInt8? {
        self.position < self.bytes.count ? self.bytes[self.position] : nil
    }

    private mutating func skipSpace() {
        while let byte = self.next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.next == UInt8(ascii: character) else { return false }
        self.position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard self.take(character) else { throw self.malformed }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount {
            guard self.next == word.utf8Start[offset] else { throw self.malformed }
            self.position += 1
        }
        return value
    }

    private mutating func value() throws(Failure) -> JSONValue {
        switch self.next {
        case UInt8(ascii: "{"): return try self.object()
        case UInt8(ascii: "["): return try self.array()
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return .number(try self.number())
        }
    }

    /// The value of a member or an element, which is one level deeper than its container.
    private mutating func value(under key: JSONKey) throws(Failure) -> JSONValue {
        self.path.append(key)
        self.skipSpace()
        let value = try self.value()
        self.path.removeLast()
        self.skipSpace()
        return value
    }

    private mutating func object() throws(Failure) -> JSONValue {
        guard self.path.count < self.depthLimit else { throw .tooDeep }
        var members: [String: JSONValue] = [:]
        try self.expect("{")
        self.skipSpace()
        if self.take("}") { return .object(JSONObject(members: members)) }
        repeat {
            self.skipSpace()
            let name = try self.string()
            self.skipSpace()
            try self.expect(":")
            let value = try self.value(under: JSONKey(name))
            guard members.updateValue(value, forKey: name) == nil else {
                throw .duplicate(JSONPointer(path: self.path).appending(name))
            }
        } while self.take(",")
        try self.expect("}")
        return .object(JSONObject(members: members))
    }

    private mutating func array() throws(Failure) -> JSONValue {
        guard self.path.count < self.depthLimit else { throw .tooDeep }
        var elements: [JSONValue] = []
        try self.expect("[")
        self.skipSpace()
        if self.take("]") { return .array(elements) }
        repeat {
            elements.append(try self.value(under: JSONKey(index: elements.count)))
        } while self.take(",")
        try self.expect("]")
        return .array(elements)
    }
}

extension JSONParser {
    private mutating func digits() throws(Failure) {
        let start = self.position
        while let byte = self.next, 0x30...0x39 ~= byte { self.position += 1 }
        guard self.position > start else { throw self.malformed }
    }

    private mutating func number() throws(Failure) -> String {
        let start = self.position
        _ = self.take("-")
        if !self.take("0") { try self.digits() }
        if self.take(".") { try self.digits() }
        if self.take("e") || self.take("E") {
            if !self.take("+") { _ = self.take("-") }
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    }

    private mutating func string() throws(Failure) -> String {
        try self.expect("\"")
        var content: [UInt8] = []
        var start = self.position
        while true {
            guard let byte = self.next, byte >= 0x20 else { throw self.malformed }
            switch byte {
            case UInt8(ascii: "\""):
                content += self.bytes[start..<self.position]
                guard let text = String(validating: content, as: UTF8.self) else { throw self.malformed }
                self.position += 1
                return text
            case UInt8(ascii: "\\"):
                content += self.bytes[start..<self.position]
                self.position += 1
                content += try self.escaped()
                start = self.position
            default:
                self.position += 1
            }
        }
    }

    private mutating func escaped() throws(Failure) -> [UInt8] {
        guard let byte = self.next else { throw self.malformed }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(Character(try self.scalar())).utf8)
        default:
            self.position -= 1
            throw self.malformed
        }
    }

    /// `\uXXXX` after its u, two of them for what lies beyond the basic plane. Half a pair is no character,
    /// and a NUL is refused because PostgreSQL's text cannot hold it.
    private mutating func scalar() throws(Failure) -> Unicode.Scalar {
        let unit = try self.fourHexDigits()
        if unit == 0 { throw self.malformed }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard 0xD800...0xDBFF ~= unit, self.take("\\"), self.take("u") else { throw self.malformed }
        let low = try self.fourHexDigits()
        guard 0xDC00...0xDFFF ~= low,
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw self.malformed }
        return scalar
    }

    private mutating func fourHexDigits() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw self.malformed
            }
            value = value << 4 | UInt32(digit)
            self.position += 1
        }
        return value
    }
}
