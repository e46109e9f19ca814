/// What a mail server says (RFC 5321, 4.2): a number and lines, put together as they come in.
struct SMTPReply: Hashable, Sendable {
    let code: Int
    let lines: [String]

    /// The server is not what it should be.
    struct Malformed: Error, Hashable {}

    /// Collects a reply's lines.
    struct Reader: Sendable {
        private var lines: [String] = []
        private var code: Int?

        /// What a reply may have at most.
        static let linesMax = 100

        init() {}

        /// - Returns: the reply when this was its last line.
        /// - Throws: ``Malformed``.
        mutating func take(_ line: String) throws(Malformed) -> SMTPReply? {
            let digits = line.prefix(3)
            guard let code = Int(digits), 200...599 ~= code, digits.utf8.count == 3, self.code ?? code == code,
                self.lines.count < Self.linesMax
            else { throw Malformed() }
            let rest = line.dropFirst(3)
            self.code = code
            self.lines.append(String(rest.dropFirst()))
            switch rest.first {
            case "-": return nil
            case " ", nil: return SMTPReply(code: code, lines: self.lines)
            default: throw Malformed()
            }
        }
    }

    /// Whether a reply to EHLO names an extension.
    func offers(_ keyword: String) -> Bool {
        self.lines.dropFirst().contains { line in
            line.uppercased().split(separator: " ").first.map(String.init) == keyword
        }
    }

    /// Whether a reply to EHLO offers the mechanism for AUTH.
    func offersPlainAuthentication() -> Bool {
        self.lines.dropFirst().contains { line in
            let words = line.uppercased().split(separator: " ").map(String.init)
            return words.first == "AUTH" && words.dropFirst().contains("PLAIN")
        }
    }
}
