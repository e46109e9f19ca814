import FoundationEssentials
import Glibc

/// Where a command's results go: standard output, as a table for people, as plain columns for a pipe, or as JSON.
///
/// The only place that writes to standard output.
struct Output: Sendable {
    /// Results are one JSON document instead of text.
    let isJSON: Bool
    /// Standard output is a terminal.
    let isTerminal: Bool
    private let descriptor: Int32

    init(json: Bool, descriptor: Int32 = STDOUT_FILENO) {
        self.isJSON = json
        self.descriptor = descriptor
        self.isTerminal = isatty(descriptor) == 1
    }

    /// A line of text; nothing in JSON mode, whose document is the whole output.
    func line(_ text: String) {
        guard !self.isJSON else { return }
        Self.write(text + "\n", to: self.descriptor)
    }

    /// A document that is text already, as it is.
    static func text(_ text: String) {
        Self.write(text, to: STDOUT_FILENO)
    }

    /// A result that has both forms: rows for people and pipes, a value for programs.
    func result(_ value: some Encodable, _ table: @autoclosure () -> Table) throws {
        if self.isJSON {
            try self.json(value)
        } else {
            Self.write(table().text(forTerminal: self.isTerminal), to: self.descriptor)
        }
    }

    /// A result whose text is sentences rather than a table.
    func result(_ value: some Encodable, text: @autoclosure () -> String) throws {
        if self.isJSON {
            try self.json(value)
        } else {
            self.line(text())
        }
    }

    private func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Self.write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", to: self.descriptor)
    }

    /// A sentence for the person at the keyboard: standard error, so that it never mixes with results.
    static func note(_ text: String) {
        Self.write(text + "\n", to: STDERR_FILENO)
    }

    /// Writes all of it; a closed pipe ends the writing, since nobody reads on.
    static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}
