import FoundationEssentials
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
        var expected: [UInt8]? = Array(header.joined(separator: ",").utf8)
        let take: (ArraySlice<UInt8>) throws -> Void = { line in
            if let header = expected {
                guard line.elementsEqual(header) else {
                    throw CommandFailure(.dataError, "\(self.path) has another header than the grocery data's.")
                }
                expected = nil
            } else {
                try body(line)
            }
        }
        let result = try await run(
            .name("gzip"), arguments: ["-dc", "--", self.path], input: .none, output: .sequence, error: .discarded
        ) { execution in
            for try await buffer in execution.standardOutput {
                try splitter.append(buffer.withUnsafeBytes { Array($0) }, take)
            }
            try splitter.finish(take)
        }
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(.dataError, "\(self.path) is not a complete gzip file.")
        }
    }
}

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var pending: [UInt8] = []

    /// Adds bytes and hands out every line that they complete.
    mutating func append(_ bytes: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if self.pending.isEmpty {
                try Self.hand(line, to: body)
            } else {
                self.pending.append(contentsOf: line)
                try Self.hand(self.pending[...], to: body)
                self.pending.removeAll(keepingCapacity: true)
            }
        }
        self.pending.append(contentsOf: rest)
    }

    /// Hands out the last line when the stream did not end with a line's end.
    mutating func finish(_ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
        guard !self.pending.isEmpty else { return }
        try Self.hand(self.pending[...], to: body)
        self.pending.removeAll()
    }

    private static func hand(_ line: ArraySlice<UInt8>, to body: (ArraySlice<UInt8>) throws -> Void) rethrows {
        try body(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
}
