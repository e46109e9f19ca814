import FoundationEssentials

/// The transfer encodings of mail, read as leniently as mail is written.
enum MailCoding {
    /// A body's bytes as they were before they were encoded (RFC 2045, 6).
    static func decode(_ body: ArraySlice<UInt8>, _ encoding: String) -> [UInt8] {
        switch encoding.lowercased() {
        case "quoted-printable": Self.quotedPrintable(body)
        case "base64": Self.base64(body)
        default: Array(body)
        }
    }

    /// RFC 2045, 6.7: `=D0=9F`, and `=` at a line's end joins it with the next.
    static func quotedPrintable(_ text: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == UInt8(ascii: "=") else {
                result.append(byte)
                position += 1
                continue
            }
            let rest = bytes[(position + 1)...]
            if rest.first == 0x0A {
                position += 2
            } else if rest.starts(with: [0x0D, 0x0A]) {
                position += 3
            } else if let high = rest.first.flatMap(Self.hex), let low = rest.dropFirst().first.flatMap(Self.hex) {
                result.append(high << 4 | low)
                position += 3
            } else {
                result.append(byte)
                position += 1
            }
        }
        return result
    }

    /// RFC 2045, 6.8: what is no letter of the alphabet is passed over.
    static func base64(_ text: some Sequence<UInt8>) -> [UInt8] {
        var letters = text.filter { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
        }
        if letters.count % 4 == 1 { letters.removeLast() }
        while letters.count % 4 != 0 { letters.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(letters)).map(Array.init) ?? []
    }

    /// Header text with its encoded words read (RFC 2047): `=?utf-8?B?0J/RgNC40LLQtdGC?=`. Blanks between two of them
    /// are no part of the text.
    static func header(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        var isBehindWord = false
        while let start = rest.firstRange(of: "=?") {
            let before = rest[..<start.lowerBound]
            guard let word = Self.encodedWord(rest[start.upperBound...]) else {
                result += rest[..<start.upperBound]
                rest = rest[start.upperBound...]
                isBehindWord = false
                continue
            }
            if !(isBehindWord && before.allSatisfy(\.isWhitespace)) { result += before }
            result += word.text
            rest = word.rest
            isBehindWord = true
        }
        return result + rest
    }

    /// - Parameter text: what stands behind `=?`.
    private static func encodedWord(_ text: Substring) -> (text: String, rest: Substring)? {
        let parts = text.split(separator: "?", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count <= 40, let end = parts[2].firstRange(of: "?=") else { return nil }
        // RFC 2231, 5: a language may stand behind the character set.
        let charset = parts[0].split(separator: "*").first.map(String.init) ?? "utf-8"
        let content = parts[2][..<end.lowerBound]
        let bytes: [UInt8]
        switch parts[1].lowercased() {
        case "b": bytes = Self.base64(content.utf8)
        case "q": bytes = Self.quotedPrintable(content.utf8.map { $0 == UInt8(ascii: "_") ? 0x20 : $0 })
        default: return nil
        }
        return (MailCharset.decode(bytes, charset), parts[2][end.upperBound...])
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
