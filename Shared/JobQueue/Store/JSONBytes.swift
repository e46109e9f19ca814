internal import Postgres

/// The text of a `jsonb` as bytes, for a decoder that wants bytes.
struct JSONBytes: PostgresDecodable {
    let bytes: [UInt8]

    static func decode(_ cell: PostgresCell) throws -> JSONBytes {
        // The first byte is the version of the format.
        JSONBytes(bytes: try cell.withBytes { Array($0.dropFirst()) })
    }
}
