/// A value that can be a parameter.
public protocol PostgresEncodable: Sendable {
    /// The type that PostgreSQL is told. The statement may cast it: `\(text)::ledger.kind`.
    static var postgresType: PostgresType { get }

    /// Whether the value is null; then ``encode(into:)`` is not called.
    var isNull: Bool { get }

    /// Appends the value in binary format.
    /// - Throws: `DatabaseError` (`encoding-failed`) when PostgreSQL has no such value.
    func encode(into buffer: inout ParameterBuffer) throws
}

extension PostgresEncodable {
    public var isNull: Bool { false }
}

/// A value that can be read from a column.
public protocol PostgresDecodable {
    /// - Throws: `DatabaseError` (`decoding-failed`) when the column's type or value does not fit.
    static func decode(_ cell: PostgresCell) throws -> Self
}

public typealias PostgresCodable = PostgresEncodable & PostgresDecodable

/// A value that is stored as another one: an enum with raw text, a typed identifier, an amount.
public protocol PostgresWrapper: PostgresEncodable, PostgresDecodable {
    associatedtype Stored: PostgresEncodable & PostgresDecodable
    var stored: Stored { get }
    /// - Returns: nil when the stored value is none of this type's.
    init?(stored: Stored)
}

extension PostgresWrapper {
    public static var postgresType: PostgresType { Stored.postgresType }
    public var isNull: Bool { self.stored.isNull }

    public func encode(into buffer: inout ParameterBuffer) throws {
        try self.stored.encode(into: &buffer)
    }

    public static func decode(_ cell: PostgresCell) throws -> Self {
        guard let value = Self(stored: try Stored.decode(cell)) else {
            throw cell.failure("a value that is no \(Self.self)")
        }
        return value
    }
}

/// Enums with raw values need only name the protocol: `enum State: String, PostgresWrapper { … }`.
extension PostgresWrapper where Self: RawRepresentable, RawValue: PostgresCodable, Stored == RawValue {
    public var stored: RawValue { self.rawValue }
    public init?(stored: RawValue) { self.init(rawValue: stored) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }

    public var isNull: Bool { self?.isNull ?? true }

    public func encode(into buffer: inout ParameterBuffer) throws {
        try self?.encode(into: &buffer)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) throws -> Wrapped? {
        cell.isNull ? nil : try Wrapped.decode(cell)
    }
}
