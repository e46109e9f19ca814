/// A field of a cron expression, in their order.
public enum CronField: String, Sendable, CaseIterable {
    case minute
    case hour
    /// Of the month.
    case day
    case month
    /// Of the week: 0 is Sunday, and so is 7.
    case weekday

    /// What may be written.
    var values: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...7
        }
    }

    /// What `*` stands for.
    var all: ClosedRange<Int> { self == .weekday ? 0...6 : self.values }

    /// Three letters, the first of them for the first value.
    private var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .weekday: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        default: []
        }
    }

    /// Reads a field: items between commas, each `*`, a value or a range, `*` and ranges with a step.
    /// - Returns: the values, without those that mean the same.
    func parse(_ text: Substring) throws(ScheduleError) -> Set<Int> {
        var found: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard let base = parts.first, parts.count <= 2 else { throw self.unreadable(item) }
            let range = try self.range(base)
            var step = 1
            if parts.count == 2 {
                guard range.count > 1, let number = Self.number(parts[1]), number > 0 else {
                    throw self.unreadable(item)
                }
                step = number
            }
            for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
                found.insert(self == .weekday ? value % 7 : value)
            }
        }
        return found
    }

    private func range(_ text: Substring) throws(ScheduleError) -> ClosedRange<Int> {
        if text == "*" { return self.all }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = ends.first, ends.count <= 2 else { throw self.unreadable(text) }
        let lower = try self.value(first)
        guard ends.count == 2 else { return lower...lower }
        let upper = try self.value(ends[1])
        guard lower <= upper else { throw .backwards(field: self, text: String(text)) }
        return lower...upper
    }

    private func value(_ text: Substring) throws(ScheduleError) -> Int {
        if let position = self.names.firstIndex(of: text.uppercased()) { return position + self.all.lowerBound }
        guard let number = Self.number(text) else { throw self.unreadable(text) }
        guard self.values.contains(number) else { throw .outOfRange(field: self, value: number) }
        return number
    }

    /// Digits only: `Int` would take a sign.
    private static func number(_ text: Substring) -> Int? {
        guard 1...4 ~= text.utf8.count, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int(text)
    }

    private func unreadable(_ text: Substring) -> ScheduleError {
        .unreadable(field: self, text: String(text))
    }
}
