import FoundationEssentials

/// One measured figure: always beside a raw limit or a peer that was measured in the same minutes, because absolute
/// numbers of a shared machine say little.
struct Figure: Codable, Sendable {
    /// The letter of the design's table of targets, or a word where the table has none.
    let target: String
    let name: String
    /// The median over the rounds.
    let value: Double
    let unit: String
    /// What `value` is held against: the median of the interleaved raw runs. Nil where the goal is absolute.
    let raw: Double?
    /// What the raw limit is, so that a reader can run it.
    let rawName: String?
    let ratio: Double?
    let goal: Goal?
    let holds: Bool?
    let conditions: Conditions

    /// The figure that a goal speaks of: a ratio where there is a raw limit, else the value itself.
    struct Goal: Codable, Sendable {
        let least: Double?
        let most: Double?
        let of: Subject

        enum Subject: String, Codable, Sendable { case ratio, value }

        static func ratio(atLeast least: Double) -> Goal { Goal(least: least, most: nil, of: .ratio) }
        static func value(atLeast least: Double) -> Goal { Goal(least: least, most: nil, of: .value) }
        static func value(atMost most: Double) -> Goal { Goal(least: nil, most: most, of: .value) }

        func holds(value: Double, ratio: Double?) -> Bool {
            let measured = self.of == .ratio ? (ratio ?? 0) : value
            return measured >= self.least ?? -.infinity && measured <= self.most ?? .infinity
        }

        var text: String {
            if let least = self.least { return "≥ \(Figure.short(least))" }
            if let most = self.most { return "≤ \(Figure.short(most))" }
            return ""
        }
    }

    init(
        _ target: String, _ name: String, _ value: Double, _ unit: String, raw: Double? = nil, rawName: String? = nil,
        goal: Goal? = nil, conditions: Conditions
    ) {
        self.target = target
        self.name = name
        self.value = value
        self.unit = unit
        self.raw = raw
        self.rawName = rawName
        let ratio = raw.flatMap { $0 > 0 ? value / $0 : nil }
        self.ratio = ratio
        self.goal = goal
        self.holds = goal.map { $0.holds(value: value, ratio: ratio) }
        self.conditions = conditions
    }

    /// Three significant digits are what such a measurement is worth.
    static func short(_ value: Double) -> String {
        if value >= 1000 { return String(Int(value.rounded())) }
        if value >= 100 { return String((value * 10).rounded() / 10) }
        return String((value * 1000).rounded() / 1000)
    }
}

/// What a reader must know to repeat a figure.
struct Conditions: Codable, Sendable {
    var server: String
    var cores: Int
    var rounds: Int
    var seconds: Int
    var build: String
    /// Free text: batch sizes, clients, payload.
    var notes: [String: String] = [:]

    func with(_ notes: [String: String]) -> Conditions {
        var copy = self
        copy.notes.merge(notes) { _, new in new }
        return copy
    }
}

extension [Double] {
    var median: Double {
        let sorted = self.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
