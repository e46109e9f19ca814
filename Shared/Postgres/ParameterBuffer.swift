/// Values on their way to the server, one after the other, in PostgreSQL's binary format.
public struct ParameterBuffer: Sendable {
    private(set) var bytes: [UInt8] = []

    init() {}

    public mutating func append(bytes: some Sequence<UInt8>) {
        self.bytes.append(contentsOf: bytes)
    }

    /// Big-endian, as everything in PostgreSQL's protocol.
    public mutating func append<I: FixedWidthInteger>(_ integer: I) {
        withUnsafeBytes(of: integer.bigEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// Writes a length in front of what the body appends; -1 when it says null.
    mutating func appendSized(_ body: (inout ParameterBuffer) throws -> Bool) rethrows {
        let start = self.bytes.count
        self.append(Int32(0))
        let isNull = try body(&self)
        let length = isNull ? -1 : Int32(self.bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { source in
            for (offset, byte) in source.enumerated() { self.bytes[start + offset] = byte }
        }
    }

    mutating func reserve(_ count: Int) {
        self.bytes.reserveCapacity(count)
    }

    mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
    }
}
