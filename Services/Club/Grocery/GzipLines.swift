import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage

/// Reads the lines of a gzip file by running `gzip -dc`.
struct GzipLines {
    let path: String

    /// Calls `body` with every line after the header, without its end, in the file's order.
    ///
    /// - Parameter header: the columns that the first line must name, so that another file is refused at once.
    /// - Throws: ``CommandFailure`` when the file is missing, damaged or has another header.
    func forEach(header: [String], _ body: (ArraySlice<UInt8>) throws -> Void) async throws {
        guard FileManager.default.isReadableFile(atPath: self.path) else {
            throw CommandFailure(.noInput, "\(self.path) is missing or cannot be read.")
        }
        var splitter = LineSplitter()
        var isHeaderRead = false
        func take(_ lines: [ArraySlice<UInt8>]) throws {
            var lines = lines[...]
            if !isHeaderRead, let first = lines.popFirst() {
                guard first.elementsEqual(header.joined(separator: ",").utf8) else {
                    throw CommandFailure(.dataError, "\(self.path) has another header than the grocery data's.")
                }
                isHeaderRead = true
            }
            for line in lines { try body(line) }
        }
        let result = try await run(
            .name("gzip"), arguments: ["-dc", "--", self.path], input: .none, output: .sequence, error: .discarded
        ) { execution in
            for try await buffer in execution.standardOutput {
                try take(splitter.split(buffer.withUnsafeBytes { Array($0) }))
            }
            try take(splitter.finish())
        }
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(.dataError, "\(self.path) is not a complete gzip file.")
        }
    }
}

/// Cuts a stream of bytes into lines; a line ends with LF or CR LF.
struct LineSplitter {
    private var pending: [UInt8] = []

    /// Adds bytes and returns every line that they complete.
    mutating func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let end = Self.lineEnd(in: rest) {
            let line = rest[..<end]
            rest = rest[rest.index(after: end)...]
            lines.append(Self.trimmed(self.pending.isEmpty ? line : (self.pending + line)[...]))
            self.pending.removeAll(keepingCapacity: true)
        }
        self.pending.append(contentsOf: rest)
        return lines
    }

    /// The last line when the stream did not end with a line's end.
    mutating func finish() -> [ArraySlice<UInt8>] {
        defer { self.pending.removeAll() }
        return self.pending.isEmpty ? [] : [Self.trimmed(self.pending[...])]
    }

    /// By the C library, which looks at many bytes at a time.
    private static func lineEnd(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, let end = memchr(start, 0x0a, buffer.count) else { return nil }
            return bytes.startIndex + (UnsafeRawPointer(end) - start)
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
