/// A message or a part of one: headers, and a body that may have parts (RFC 5322, RFC 2045, RFC 2046).
struct MailPart: Sendable {
    /// How deep parts may lie in parts, and how many there may be: letters of people have a handful.
    private static let (depthMax, partsMax, headersMax) = (8, 50, 400)

    private let headers: [(name: String, value: String)]
    let body: ArraySlice<UInt8>

    /// - Parameter bytes: lines end in CR LF or in LF, as mail servers hand letters over.
    init(_ bytes: ArraySlice<UInt8>) {
        var headers: [(name: String, value: String)] = []
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.endIndex
            var line = bytes[position..<end]
            position = min(end + 1, bytes.endIndex)
            if line.last == 0x0D { line = line.dropLast() }
            guard let first = line.first else { break }
            let text = String(decoding: line, as: UTF8.self)
            if first == 0x20 || first == 0x09 {
                // A line that begins with a blank goes on with the one before (RFC 5322, 2.2.3).
                if let last = headers.indices.last { headers[last].value += text }
            } else if let colon = text.firstIndex(of: ":"), headers.count < Self.headersMax {
                let name = text[..<colon].lowercased()
                headers.append((name, String(text[text.index(after: colon)...])))
            }
        }
        self.headers = headers
        self.body = bytes[position...]
    }

    /// The first header of a name, in lower case, without blanks around it; as it was sent.
    func raw(_ name: String) -> String? { self.all(name).first }

    /// All headers of a name.
    func all(_ name: String) -> [String] {
        self.headers.filter { $0.name == name }.map { $0.value.trimmed }
    }

    /// The first header of a name with its encoded words read.
    func text(_ name: String) -> String? { self.raw(name).map(MailCoding.header) }

    /// `text/plain`, `multipart/mixed`, …; without a header plain text (RFC 2045, 5.2).
    var type: String {
        let value = self.raw("content-type") ?? "text/plain"
        return value.prefix { $0 != ";" }.lowercased().trimmed
    }

    /// A parameter of the content type: `charset`, `boundary`.
    func parameter(_ name: String) -> String? {
        let fields = (self.raw("content-type") ?? "").split(separator: ";").dropFirst()
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, String(parts[0]).trimmed.lowercased() == name else { continue }
            return String(parts[1]).trimmed.filter { $0 != "\"" }
        }
        return nil
    }

    /// The body as it was before it was encoded for its way.
    var content: [UInt8] { MailCoding.decode(self.body, (self.raw("content-transfer-encoding") ?? "").trimmed) }

    /// The body of a part that is text.
    var contentText: String { MailCharset.decode(self.content, self.parameter("charset") ?? "utf-8") }

    /// Whether it is a file that came along and no text to be read.
    var isAttachment: Bool { (self.raw("content-disposition") ?? "").lowercased().hasPrefix("attachment") }

    /// What has no parts of its own, in the order of the letter.
    func leaves() -> [MailPart] {
        var found: [MailPart] = []
        self.collect(into: &found, depth: 0)
        return found
    }

    private func collect(into found: inout [MailPart], depth: Int) {
        guard found.count < Self.partsMax else { return }
        guard self.type.hasPrefix("multipart/"), depth < Self.depthMax, let boundary = self.parameter("boundary"),
            1...70 ~= boundary.utf8.count
        else {
            if !self.type.hasPrefix("multipart/") { found.append(self) }
            return
        }
        for part in self.parts(between: Array("--\(boundary)".utf8)) {
            MailPart(part).collect(into: &found, depth: depth + 1)
        }
    }

    /// RFC 2046, 5.1.1: lines that begin with the delimiter stand between the parts.
    private func parts(between delimiter: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var start: Int?
        var position = self.body.startIndex
        while position < self.body.endIndex, parts.count < Self.partsMax {
            let end = self.body[position...].firstIndex(of: 0x0A) ?? self.body.endIndex
            let next = min(end + 1, self.body.endIndex)
            if self.body[position..<end].starts(with: delimiter) {
                if let start { parts.append(self.body[start..<max(start, position)]) }
                let isLast = self.body[position..<end].dropFirst(delimiter.count).starts(with: [0x2D, 0x2D])
                start = isLast ? nil : next
                if isLast { return parts }
            }
            position = next
        }
        // A letter that was cut off: what there is of the last part.
        if let start, start < self.body.endIndex { parts.append(self.body[start...]) }
        return parts
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        let end = start.reversed().drop { $0.isWhitespace }
        return String(end.reversed())
    }
}
