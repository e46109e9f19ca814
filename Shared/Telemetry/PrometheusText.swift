/// The text format that Prometheus fetches, version 0.0.4.
struct PrometheusText {
    private(set) var text = ""

    mutating func append(name: String, family: MetricFamily) {
        self.text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            self.append(name: name, labels: labels, series.reading)
        }
    }

    mutating func append(_ figures: [ProcessMetrics.Figure]) {
        for figure in figures {
            self.text += "# HELP \(figure.name) \(figure.help)\n# TYPE \(figure.name) \(figure.kind.rawValue)\n"
            self.append(name: figure.name, labels: "", .scalar(figure.value))
        }
    }

    mutating func append(name: String, labels: String, _ reading: MetricReading) {
        let own = labels.isEmpty ? "" : "{\(labels)}"
        switch reading {
        case .scalar(let value):
            self.text += "\(name)\(own) \(Self.number(value))\n"
        case .histogram(let buckets, let sum, let count):
            let prefix = labels.isEmpty ? "" : "\(labels),"
            for bucket in buckets {
                self.text += "\(name)_bucket{\(prefix)le=\"\(Self.number(bucket.bound))\"} \(bucket.count)\n"
            }
            self.text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(count)\n"
            self.text += "\(name)_sum\(own) \(Self.number(sum))\n"
            self.text += "\(name)_count\(own) \(count)\n"
        }
    }

    /// A name as Prometheus allows it: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func name(_ label: String) -> String {
        Self.cleaned(label, alsoAllowed: ":")
    }

    /// Labels as text, sorted by name, with their values escaped. Of two with the same name the last counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var labels: [String: String] = [:]
        for (name, value) in dimensions { labels[Self.cleaned(name, alsoAllowed: "_")] = value }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            .joined(separator: ",")
    }

    /// Whole numbers without a fraction; infinities and "not a number" as the format spells them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func cleaned(_ label: String, alsoAllowed: Character) -> String {
        let clean = String(
            label.map { character in
                let isPlain = character.isASCII && (character.isLetter || character.isNumber)
                return isPlain || character == "_" || character == alsoAllowed ? character : "_"
            })
        return clean.first.map { $0.isNumber } ?? true ? "_" + clean : clean
    }
}
