/// What a tour has seen.
struct TourReport: Encodable, Sendable {
    /// A request, and what came of it.
    struct Step: Encodable, Sendable {
        let method: String
        let service: String
        let path: String
        let status: Int
        /// The answer's essence, as a member would put it.
        let essence: String
    }

    /// The preparation, or a row of the programme's list.
    struct Section: Encodable, Sendable {
        /// 0 for the preparation.
        let row: Int
        /// The programme's words.
        let words: String
        let steps: [Step]
        /// Why the row failed; nil when it did not.
        let problem: String?
        let passed: Bool

        init(row: Int, words: String, steps: [Step], problem: String?) {
            (self.row, self.words, self.steps) = (row, words, steps)
            (self.problem, self.passed) = (problem, problem == nil)
        }
    }

    let preparation: Section
    let rows: [Section]
    let seconds: Double
    let passed: Int
    let failed: Int

    init(preparation: Section, rows: [Section], took time: Duration) {
        (self.preparation, self.rows) = (preparation, rows)
        self.passed = rows.count { $0.passed }
        self.failed = rows.count { !$0.passed }
        let (seconds, fraction) = time.components
        self.seconds = Double(seconds) + Double(fraction / 1_000_000_000_000_000) / 1000
    }

    var verdict: String {
        let time = (self.seconds * 10).rounded() / 10
        return "\(self.failed == 0 ? "✓" : "✗") строк пройдено: \(self.passed) из \(self.rows.count), за \(time) с"
    }
}

extension TourReport.Section {
    /// For a terminal: the row, and a line for each request.
    func text(inColour isColoured: Bool) -> String {
        func painted(_ text: String, _ code: Int) -> String {
            isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
        }
        let mark = self.passed ? painted("✓", 32) : painted("✗", 31)
        let number = self.row == 0 ? "  " : (self.row < 10 ? " \(self.row)" : "\(self.row)")
        var lines = ["\(number) \(mark) \(painted(self.words, 1))"]
        for step in self.steps {
            let request = painted("\(step.method) \(step.path)", 2)
            lines.append("     \(request) → \(step.status) \(painted(step.service, 2))")
            if !step.essence.isEmpty { lines.append("       \(step.essence)") }
        }
        if let problem { lines.append("     \(painted(problem, 31))") }
        return lines.joined(separator: "\n")
    }
}

/// A row does not show what the programme promises.
struct TourMiss: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// Goes on only when it is so.
    static func unless(_ isSo: Bool, _ description: @autoclosure () -> String) throws {
        guard isSo else { throw TourMiss(description()) }
    }
}

extension JSON {
    /// What stands behind these keys.
    fileprivate func at(_ keys: [String]) throws -> JSON {
        try keys.reduce(self) { value, key in
            guard let next = value[key], next != .null else {
                throw TourMiss("в ответе нет: \(keys.joined(separator: "."))")
            }
            return next
        }
    }

    /// The text behind these keys.
    /// - Throws: ``TourMiss`` when there is none.
    func string(_ keys: String...) throws -> String {
        guard case .text(let text) = try self.at(keys) else {
            throw TourMiss("не строка: \(keys.joined(separator: "."))")
        }
        return text
    }

    /// The whole number behind these keys.
    /// - Throws: ``TourMiss`` when there is none.
    func whole(_ keys: String...) throws -> Int64 {
        guard case .number(let number) = try self.at(keys) else {
            throw TourMiss("не число: \(keys.joined(separator: "."))")
        }
        return number
    }

    /// The elements behind these keys, of which there is at least one.
    /// - Throws: ``TourMiss`` when there is none.
    func list(_ keys: String...) throws -> [JSON] {
        let items = try self.at(keys).items
        guard !items.isEmpty else { throw TourMiss("пусто: \(keys.joined(separator: "."))") }
        return items
    }
}
