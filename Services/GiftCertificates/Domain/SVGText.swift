import FoundationEssentials

/// Words in SVG. Everything from outside is escaped here and nowhere else.
enum SVGText {
    static let fonts = "DejaVu Sans, Liberation Sans, Noto Sans, sans-serif"

    static func line(
        _ x: Int, _ y: Int, _ text: String, size: Int, isBold: Bool = false, colour: String = "black",
        font: String? = nil
    ) -> String {
        let weight = isBold ? #" font-weight="bold""# : ""
        let family = font.map { #" font-family="\#($0)""# } ?? ""
        return
            #"<text x="\#(x)" y="\#(y)" font-size="\#(size)"\#(weight)\#(family) fill="\#(colour)">\#(Self.escaped(text))</text>"#
    }

    /// Text as character data: no markup, and no character that XML 1.0 does not know.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Breaks a text into lines between words; a word that is too long is broken itself. What is beyond the last line
    /// ends in an ellipsis.
    static func wrapped(_ text: String, width: Int, lines limit: Int) -> [String] {
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                var word = word[...]
                if !line.isEmpty, line.count + 1 + word.count > width {
                    lines.append(line)
                    line = ""
                }
                while word.count > width {
                    lines.append(String(word.prefix(width)))
                    word = word.dropFirst(width)
                }
                line += line.isEmpty ? String(word) : " \(word)"
            }
            lines.append(line)
        }
        guard lines.count > limit else { return lines }
        let last = lines[limit - 1].prefix(width - 1)
        return Array(lines.prefix(limit - 1)) + ["\(last)…"]
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
