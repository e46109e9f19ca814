internal import FoundationEssentials
internal import Kernel

/// Bytes that are the same for the same content, and different for different content, whoever writes them and when.
///
/// Every kind of content begins with its name and version, so that the bytes of one can never be read as another.
/// Numbers are big-endian 64-bit, texts and bytes have their length before them, what may be missing a 0 or a 1.
struct CanonicalBytes {
    private(set) var bytes: [UInt8]

    init(_ name: String, version: UInt8) {
        self.bytes = []
        self.bytes.reserveCapacity(256)
        self.add(name)
        self.bytes.append(version)
    }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func add(_ moment: Timestamp) {
        self.add(moment.microseconds)
    }

    mutating func add(_ bytes: [UInt8]) {
        self.add(Int64(bytes.count))
        self.bytes += bytes
    }

    mutating func add(_ text: String) {
        self.add(Int64(text.utf8.count))
        self.bytes += text.utf8
    }

    mutating func add<Subject>(_ id: Identifier<Subject>) {
        withUnsafeBytes(of: id.raw.uuid) { self.bytes.append(contentsOf: $0) }
    }

    mutating func add(_ text: String?) {
        self.bytes.append(text == nil ? 0 : 1)
        if let text { self.add(text) }
    }

    mutating func add(_ number: Int64?) {
        self.bytes.append(number == nil ? 0 : 1)
        if let number { self.add(number) }
    }
}
