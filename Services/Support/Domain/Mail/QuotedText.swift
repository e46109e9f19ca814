/// Answers carry what they answer. This takes it away.
enum QuotedText {
    /// Stands above our text in every letter of ours.
    static let line = "— — — Пишите ответ над этой чертой / Write your answer above this line — — —"

    /// What begins a copy of the letter before, with everything behind it.
    private static let copies = [
        "-----original message-----", "-----исходное сообщение-----", "-------- исходное сообщение --------",
        "-------- original message --------", "-------- пересылаемое сообщение --------",
    ]

    /// The text without quotes and without the signature; when nothing would be left, the whole text.
    static func removed(from text: String) -> String {
        let lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        if let mark = lines.firstIndex(where: { $0.contains(Self.line) }) {
            let above = Self.own(Array(lines[..<mark]))
            if !above.isEmpty { return above }
        }
        let own = Self.own(lines)
        return own.isEmpty ? text.trimmed : own
    }

    private static func own(_ lines: [Substring]) -> String {
        var kept: [Substring] = []
        for (index, line) in lines.enumerated() {
            let folded = line.trimmed.lowercased()
            if Self.copies.contains(folded) || Self.isHeaderBlock(lines[index...]) { break }
            // RFC 3676, 4.3: a signature stands below this line.
            if line == "-- " || line == "--" { break }
            if line.hasPrefix(">") || Self.isAttribution(line, before: lines[(index + 1)...]) { continue }
            kept.append(line)
        }
        return kept.joined(separator: "\n").trimmed
    }

    /// `27.11.2026, 12:00, support wrote:` above a quote, also when it is broken over two lines.
    private static func isAttribution(_ line: Substring, before rest: ArraySlice<Substring>) -> Bool {
        let ends = [
            "wrote:", "writes:", "пишет:", "писал:", "писала:", "писал(а):", "написал:", "написала:", "написал(а):",
        ]
        let isEnd = { (text: String) in ends.contains { text.lowercased().hasSuffix($0) } }
        let following = rest.filter { !$0.trimmed.isEmpty }
        let text = line.trimmed
        // At the end of a letter, too: of a page the quote itself is gone already.
        if isEnd(text) { return following.first?.hasPrefix(">") ?? true }
        guard let next = following.first, isEnd(next.trimmed), !next.hasPrefix(">") else { return false }
        return text.contains("@") && (following.dropFirst().first?.hasPrefix(">") ?? true)
    }

    /// Outlook's copy of headers: `From: …` or `От: …`, and within some lines `Subject:` or `Тема:`.
    private static func isHeaderBlock(_ lines: ArraySlice<Substring>) -> Bool {
        let block = lines.prefix(6).map { $0.trimmed.filter { $0 != "*" }.lowercased() }
        guard let first = block.first, first.hasPrefix("from: ") || first.hasPrefix("от: ") else { return false }
        return block.contains { $0.hasPrefix("subject:") || $0.hasPrefix("тема:") }
    }
}

/// The text of a page of HTML, for letters that have nothing else. Nothing of the page itself is kept.
enum PageText {
    /// Elements whose content is no text of the writer.
    private static let dropped = ["head", "style", "script", "blockquote", "title"]
    private static let breaking = ["br", "p", "/p", "div", "/div", "tr", "/tr", "li", "h1", "h2", "h3", "/h1", "/h2"]
    private static let entities = [
        "nbsp": " ", "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'", "laquo": "«", "raquo": "»",
        "mdash": "—", "ndash": "–", "hellip": "…",
    ]

    static func read(_ page: String) -> String {
        var text = ""
        var rest = page[...]
        while let open = rest.firstIndex(of: "<") {
            text += Self.unescaped(rest[..<open])
            guard let close = rest[open...].firstIndex(of: ">") else { return text.trimmed }
            let tag = rest[rest.index(after: open)..<close]
            let name = tag.prefix { !$0.isWhitespace }.lowercased().replacing(#/(.)\/$/#) { $0.1 }
            rest = rest[rest.index(after: close)...]
            if Self.dropped.contains(name) {
                guard let end = Self.end(of: name, in: rest) else { return text.trimmed }
                rest = end
            } else if Self.breaking.contains(name) {
                text += "\n"
            }
        }
        return (text + Self.unescaped(rest)).replacing(#/\n{3,}/#, with: "\n\n").trimmed
    }

    /// What stands behind the end of an element; elements of the same name lie in each other.
    private static func end(of name: String, in text: Substring) -> Substring? {
        var rest = text
        var depth = 1
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            let tag = rest[rest.index(after: open)..<close].prefix { !$0.isWhitespace }.lowercased()
            rest = rest[rest.index(after: close)...]
            if tag == name { depth += 1 }
            if tag == "/\(name)" { depth -= 1 }
            if depth == 0 { return rest }
        }
        return nil
    }

    private static func unescaped(_ text: Substring) -> String {
        // White space of a page is one blank.
        let folded = text.replacing(#/\s+/#, with: " ")
        return String(folded).replacing(#/&(#?[0-9A-Za-z]{1,8});/#) { match in
            let name = match.1
            if let known = Self.entities[String(name)] { return known }
            guard name.hasPrefix("#") else { return String(match.0) }
            let digits = name.dropFirst()
            let number = digits.lowercased().hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? ""
        }
    }
}
