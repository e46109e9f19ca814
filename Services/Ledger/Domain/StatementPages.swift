internal import Kernel

extension Statement {
    /// The statement for people: pages of A4 as SVG, in Russian, with Moscow's time.
    public var pages: [String] {
        let groups = stride(from: 0, to: max(1, self.lines.count), by: Self.linesPerPage).map { start in
            self.lines[min(start, self.lines.count)..<min(start + Self.linesPerPage, self.lines.count)]
        }
        return groups.enumerated().map { self.page($0.element, number: $0.offset + 1, of: groups.count) }
    }

    private static let linesPerPage = 36
    /// Where the columns begin, in points; amounts end there.
    private static let columns = (time: 40, name: 145, origin: 310, change: 465, balance: 555)

    private func page(_ lines: ArraySlice<FeedLine>, number: Int, of count: Int) -> String {
        var page = SVGPage()
        page.text(40, 56, "Выписка по счёту баллов", size: 18, isBold: true)
        page.text(40, 76, "Участник \(self.member)", size: 9)
        page.text(40, 90, self.period, size: 9)
        let facts = [
            ("Баллов на начало", "\(self.opening.available)"), ("Поступило", "\(self.came)"), ("Ушло", "\(self.went)"),
            ("Баллов на конец", "\(self.closing.available)"),
        ]
        for (index, fact) in facts.enumerated() {
            page.text(40 + index * 130, 116, fact.0, size: 8)
            page.text(40 + index * 130, 132, Self.grouped(fact.1), size: 12, isBold: true)
        }
        let columns = Self.columns
        page.line(40, 146, to: 555)
        page.text(columns.time, 160, "Время (Москва)", size: 8, isBold: true)
        page.text(columns.name, 160, "Операция", size: 8, isBold: true)
        page.text(columns.origin, 160, "Основание", size: 8, isBold: true)
        page.text(columns.change, 160, "Баллы", size: 8, isBold: true, endsThere: true)
        page.text(columns.balance, 160, "Остаток", size: 8, isBold: true, endsThere: true)
        page.line(40, 166, to: 555)
        for (index, line) in lines.enumerated() {
            let y = 182 + index * 17
            page.text(columns.time, y, MoscowTime.text(line.recordedAt), size: 9)
            page.text(columns.name, y, line.russianName, size: 9)
            page.text(columns.origin, y, line.origin, size: 9)
            page.text(columns.change, y, Self.signed(line.change), size: 9, endsThere: true)
            page.text(columns.balance, y, Self.grouped("\(line.availableAfter.amount)"), size: 9, endsThere: true)
        }
        page.text(40, 815, "Время операции — время её записи в книгу баллов.", size: 7)
        page.text(555, 815, "Страница \(number) из \(count)", size: 7, endsThere: true)
        return page.svg
    }

    private var period: String {
        let end = "по \(MoscowTime.text(self.to))"
        return self.from == .distantPast ? "За всё время \(end)" : "За период с \(MoscowTime.text(self.from)) \(end)"
    }

    private static func signed(_ change: Int64) -> String {
        change > 0 ? "+" + self.grouped("\(change)") : self.grouped("\(change)")
    }

    /// Digits in threes with spaces that do not break, and a minus that is one.
    static func grouped(_ number: String) -> String {
        let digits = number.filter(\.isNumber)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "\u{A0}" }
            text.append(digit)
        }
        return (number.hasPrefix("-") ? "\u{2212}" : "") + text
    }
}

/// Moments as people in Moscow read them. Its clocks have been three hours ahead of UTC since 2014, before the programme
/// began; what depends on a calendar is left to the database.
enum MoscowTime {
    /// `02.03.2026 10:10`
    static func text(_ moment: Timestamp) -> String {
        let text = Array((moment + .seconds(3 * 3600)).description)
        guard text.count >= 16 else { return String(text) }
        return "\(String(text[8..<10])).\(String(text[5..<7])).\(String(text[0..<4])) \(String(text[11..<16]))"
    }
}

/// A page of A4 that is put together line by line.
private struct SVGPage {
    private var elements: [String] = []

    var svg: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 595 842" \
        font-family="DejaVu Sans, Liberation Sans, Noto Sans, sans-serif">
        <rect width="595" height="842" fill="white"/>
        \(self.elements.joined(separator: "\n"))
        </svg>

        """
    }

    mutating func text(
        _ x: Int, _ y: Int, _ text: String, size: Int, isBold: Bool = false, endsThere: Bool = false
    ) {
        let weight = isBold ? #" font-weight="bold""# : ""
        let anchor = endsThere ? #" text-anchor="end""# : ""
        self.elements.append(
            #"<text x="\#(x)" y="\#(y)" font-size="\#(size)"\#(weight)\#(anchor)>\#(Self.escaped(text))</text>"#)
    }

    mutating func line(_ x: Int, _ y: Int, to end: Int) {
        self.elements.append(
            #"<line x1="\#(x)" y1="\#(y)" x2="\#(end)" y2="\#(y)" stroke="gray" stroke-width="0.5"/>"#)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case _ where character.value < 0x20: escaped += " "
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
