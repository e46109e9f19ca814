/// A type of PostgreSQL by its object identifier. Built-in ones have fixed numbers
/// (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat).
public struct PostgresType: Hashable, Sendable, CustomStringConvertible {
    public let oid: UInt32

    public init(oid: UInt32) {
        self.oid = oid
    }

    public static let bool = Self(oid: 16)
    public static let bytea = Self(oid: 17)
    public static let char = Self(oid: 18)
    public static let name = Self(oid: 19)
    public static let int8 = Self(oid: 20)
    public static let int2 = Self(oid: 21)
    public static let int4 = Self(oid: 23)
    public static let text = Self(oid: 25)
    public static let oidType = Self(oid: 26)
    public static let json = Self(oid: 114)
    public static let float4 = Self(oid: 700)
    public static let float8 = Self(oid: 701)
    public static let unknown = Self(oid: 705)
    public static let boolArray = Self(oid: 1000)
    public static let byteaArray = Self(oid: 1001)
    public static let int2Array = Self(oid: 1005)
    public static let int4Array = Self(oid: 1007)
    public static let textArray = Self(oid: 1009)
    public static let int8Array = Self(oid: 1016)
    public static let float8Array = Self(oid: 1022)
    public static let bpchar = Self(oid: 1042)
    public static let varchar = Self(oid: 1043)
    public static let date = Self(oid: 1082)
    public static let timestamp = Self(oid: 1114)
    public static let dateArray = Self(oid: 1182)
    public static let timestamptz = Self(oid: 1184)
    public static let timestamptzArray = Self(oid: 1185)
    public static let interval = Self(oid: 1186)
    public static let intervalArray = Self(oid: 1187)
    public static let numeric = Self(oid: 1700)
    public static let void = Self(oid: 2278)
    public static let uuid = Self(oid: 2950)
    public static let uuidArray = Self(oid: 2951)
    public static let jsonb = Self(oid: 3802)
    public static let jsonbArray = Self(oid: 3807)

    /// Below this number a type is PostgreSQL's own; from it on it was created: an enum, a domain, an extension's.
    private static let firstUserOID: UInt32 = 16384

    /// Whether the binary format is the text itself. That of enums is; other created types are not asked for as text.
    var isTextual: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .char, .unknown, .json: true
        default: self.oid >= Self.firstUserOID
        }
    }

    public var description: String { "type \(self.oid)" }
}
