/// A statement with its parameters. Only literals make one: `"select … where id = \(id)"` binds the value as `$1`, so
/// that no text from outside can become a part of the statement.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    private(set) var text: String
    private(set) var parameters: Parameters

    public init(stringLiteral text: String) {
        self.text = text
        self.parameters = Parameters()
    }

    public init(stringInterpolation interpolation: Interpolation) {
        self.text = interpolation.text
        self.parameters = interpolation.parameters
    }

    /// Only for text of this package that is put together from checked parts.
    init(trusted text: String) {
        self.text = text
        self.parameters = Parameters()
    }

    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var parameters = Parameters()

        public init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            self.parameters.reserve(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) {
            self.text += literal
        }

        /// Binds a value.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            self.parameters.append(value)
            self.text += "$"
            self.text += String(self.parameters.count)
        }

        /// Binds a value or a null. It stands beside the one above because the compiler takes an optional in an
        /// interpolation for a slip unless a parameter asks for one.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            self.parameters.append(value)
            self.text += "$"
            self.text += String(self.parameters.count)
        }

        /// Quotes a name, with the names of what it lies in before it: `\(identifier: "ledger", "wallet")`.
        public mutating func appendInterpolation(identifier parts: String...) {
            self.text += parts.map(quotedIdentifier).joined(separator: ".")
        }

        /// Splices in another statement or a part of one, with its parameters.
        public mutating func appendInterpolation(fragment: SQL) {
            self.text += fragment.text(renumberedFrom: self.parameters.count)
            self.parameters.append(contentsOf: fragment.parameters)
        }
    }

    /// A statement whose text is put together once instead of at every run: for those that run thousands of times a
    /// second. Only literals make one; its `$1`, `$2`, … are bound in their order.
    public struct Template: Sendable {
        private let text: String

        /// - Parameter text: with a `$n` for each value.
        public init(_ text: StaticString) {
            self.text = text.description
        }

        /// The statement with the values that the body binds.
        public func binding(_ count: Int, _ body: (inout Values) -> Void) -> SQL {
            var values = Values()
            values.parameters.reserve(count)
            body(&values)
            var sql = SQL(trusted: self.text)
            sql.parameters = values.parameters
            return sql
        }
    }

    /// The values of a ``Template``.
    public struct Values {
        fileprivate var parameters = Parameters()

        /// Binds the next value.
        public mutating func bind<Value: PostgresEncodable>(_ value: Value) {
            self.parameters.append(value)
        }
    }

    /// The text with every `$n` moved up. A fragment's own `$n` come from interpolation only; dollars inside of quotes
    /// are left alone.
    private func text(renumberedFrom offset: Int) -> String {
        guard offset > 0, self.parameters.count > 0 else { return self.text }
        var result: [UInt8] = []
        var quote: UInt8?
        var digits = 0
        var number = 0
        func flush() {
            guard digits > 0 else { return }
            result.append(contentsOf: String(number + offset).utf8)
            (digits, number) = (0, 0)
        }
        var afterDollar = false
        for byte in self.text.utf8 {
            if afterDollar, byte >= 0x30, byte <= 0x39 {
                digits += 1
                number = number * 10 + Int(byte - 0x30)
                continue
            }
            flush()
            afterDollar = false
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "$") {
                afterDollar = true
            }
            result.append(byte)
        }
        flush()
        return String(decoding: result, as: UTF8.self)
    }
}

extension SQL: CustomStringConvertible {
    /// The statement without the values: fit for a log.
    public var description: String { self.text }
}

extension SQL: CustomReflectable {
    public var customMirror: Mirror { Mirror(self, children: ["text": self.text]) }
}

/// A name in double quotes (https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS).
func quotedIdentifier(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// The bound values of a statement, encoded one behind the other.
struct Parameters: Sendable {
    private(set) var types: [UInt32] = []
    /// Where each value ends in the buffer; a null has the length -1 in ``lengths``.
    private(set) var offsets: [Int32] = []
    private(set) var lengths: [Int32] = []
    private(set) var buffer = ParameterBuffer()
    /// What went wrong while encoding: reported when the statement is run, so that interpolation need not throw.
    private(set) var failure: DatabaseError?

    var count: Int { self.types.count }

    mutating func reserve(_ count: Int) {
        self.types.reserveCapacity(count)
        self.offsets.reserveCapacity(count)
        self.lengths.reserveCapacity(count)
        self.buffer.reserve(count * 16)
    }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        let start = self.buffer.bytes.count
        self.types.append(Value.postgresType.oid)
        self.offsets.append(Int32(clamping: start))
        guard !value.isNull else {
            self.lengths.append(-1)
            return
        }
        do {
            try value.encode(into: &self.buffer)
        } catch let error as DatabaseError {
            self.failure = self.failure ?? error
        } catch {
            self.failure = self.failure ?? DatabaseError(.encodingFailed, context: "\(Value.self)")
        }
        self.lengths.append(Int32(clamping: self.buffer.bytes.count - start))
    }

    mutating func append(contentsOf other: Parameters) {
        let start = Int32(clamping: self.buffer.bytes.count)
        self.types += other.types
        self.offsets += other.offsets.map { $0 + start }
        self.lengths += other.lengths
        self.buffer.append(bytes: other.buffer.bytes)
        self.failure = self.failure ?? other.failure
    }

    /// Lends the arrays that libpq wants.
    func withPointers<R>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        guard self.count > 0 else { return body(0, nil, nil, nil) }
        let count = self.count
        return self.buffer.bytes.withUnsafeBufferPointer { bytes in
            // An empty value is not a null: it needs an address too.
            var empty: CChar = 0
            return withUnsafePointer(to: &empty) { nothing in
                withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                        for index in 0..<count {
                            formats[index] = 1
                            values[index] = self.address(index, in: bytes, nothing)
                        }
                        return self.lengths.withUnsafeBufferPointer { lengths in
                            body(
                                Int32(count), UnsafePointer(values.baseAddress), lengths.baseAddress,
                                UnsafePointer(formats.baseAddress))
                        }
                    }
                }
            }
        }
    }

    private func address(
        _ index: Int, in bytes: UnsafeBufferPointer<UInt8>, _ nothing: UnsafePointer<CChar>
    ) -> UnsafePointer<CChar>? {
        guard self.lengths[index] >= 0 else { return nil }
        guard self.lengths[index] > 0, let base = bytes.baseAddress else { return nothing }
        return UnsafeRawPointer(base + Int(self.offsets[index])).assumingMemoryBound(to: CChar.self)
    }
}
