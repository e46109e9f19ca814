internal import FoundationEssentials
internal import Yams

/// What deploy/monitoring says, read for tests.
public struct Monitoring: Sendable {
    /// A rule of Prometheus that wakes somebody.
    public struct Alert: Sendable {
        public let name: String
        public let expression: String
        public let severity: String?
        /// A path from the repository's top.
        public let runbook: String?
    }

    /// Something that is computed from metrics, and where it stands.
    public struct Expression: Sendable {
        public let place: String
        public let text: String
    }

    public let alerts: [Alert]
    /// By file name without its ending: the expressions of each dashboard.
    public let dashboards: [String: [Expression]]
    /// The jobs of the scrape configuration and the ports they are fetched from.
    public let jobs: [String: Int]

    /// All expressions, of alerts and of dashboards.
    public var expressions: [Expression] {
        self.alerts.map { Expression(place: "alert \($0.name)", text: $0.expression) }
            + self.dashboards.values.flatMap { $0 }
    }

    /// - Parameter folder: deploy/monitoring of a repository.
    /// - Throws: when a file is missing or not what it should be.
    public init(folder: String) throws {
        let rules: Rules = try Self.yaml("\(folder)/prometheus/alerts.yml")
        self.alerts = rules.groups.flatMap(\.rules).map { rule in
            Alert(
                name: rule.alert, expression: rule.expr, severity: rule.labels?["severity"],
                runbook: rule.annotations?["runbook"])
        }
        let scrapes: Scrapes = try Self.yaml("\(folder)/prometheus/prometheus.yml")
        self.jobs = Dictionary(
            scrapes.jobs.flatMap { job in job.places.map { (job.name, $0.port) } },
            uniquingKeysWith: { first, _ in first })
        var dashboards: [String: [Expression]] = [:]
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/grafana/dashboards")
        for file in files where file.hasSuffix(".json") {
            let data = try Data(contentsOf: URL(filePath: "\(folder)/grafana/dashboards/\(file)"))
            let board = try JSONDecoder().decode(Board.self, from: data)
            dashboards[String(file.dropLast(5))] = board.panels.flatMap { panel in
                panel.targets.map { Expression(place: "\(file), \(panel.title)", text: $0.expr) }
            }
        }
        self.dashboards = dashboards
    }

    private static func yaml<Value: Decodable>(_ path: String) throws -> Value {
        try YAMLDecoder().decode(Value.self, from: try String(contentsOfFile: path, encoding: .utf8))
    }

    private struct Rules: Decodable {
        struct Group: Decodable { let rules: [Rule] }

        struct Rule: Decodable {
            let alert: String
            let expr: String
            let labels: [String: String]?
            let annotations: [String: String]?
        }

        let groups: [Group]
    }

    private struct Scrapes: Decodable {
        struct Job: Decodable {
            let name: String
            let places: [Place]

            enum CodingKeys: String, CodingKey {
                case name = "job_name"
                case places = "dns_sd_configs"
            }
        }

        struct Place: Decodable { let port: Int }

        let jobs: [Job]

        enum CodingKeys: String, CodingKey { case jobs = "scrape_configs" }
    }

    private struct Board: Decodable {
        struct Panel: Decodable {
            let title: String
            let targets: [Target]
        }

        struct Target: Decodable { let expr: String }

        let panels: [Panel]
    }
}

/// Which metrics an expression of PromQL reads: as much of the language as that takes.
public enum PromQL {
    /// A metric and the labels by which its series are chosen.
    public struct Selector: Hashable, Sendable {
        public let metric: String
        public let labels: Set<String>
        /// The value of `job`, where one is asked for.
        public let job: String?
    }

    private static let words: Set<String> = [
        "and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "inf",
        "nan",
    ]
    private static let groupings: Set<String> = ["by", "without", "on", "ignoring", "group_left", "group_right"]

    /// Every identifier that is neither a function, an operator nor a label.
    public static func selectors(in text: String) -> [Selector] {
        var found: [Selector] = []
        var rest = text[...]
        while let character = rest.first {
            if character == "\"" {
                rest = rest.dropFirst().drop { $0 != "\"" }.dropFirst()
            } else if character == "[" {
                rest = rest.drop { $0 != "]" }.dropFirst()
            } else if character.isNumber {
                // 0.99, 2e6, 5m: not the beginning of a name.
                rest = rest.drop { $0.isNumber || $0.isLetter || $0 == "." }
            } else if character.isLetter || character == "_" || character == ":" {
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
                rest = rest.dropFirst(name.count)
                let after = rest.drop { $0 == " " }
                if self.groupings.contains(name.lowercased()), after.first == "(" {
                    rest = after.drop { $0 != ")" }.dropFirst()
                } else if after.first != "(", !self.isAggregation(before: after),
                    !self.words.contains(name.lowercased())
                {
                    found.append(self.selector(String(name), &rest))
                }
            } else {
                rest = rest.dropFirst()
            }
        }
        return found
    }

    /// Whether a name is that of an aggregation: `sum by (job) (…)`.
    private static func isAggregation(before rest: Substring) -> Bool {
        ["by", "without"].contains(rest.prefix { $0.isLetter }.lowercased())
    }

    /// Reads the braces behind a name, when there are any.
    private static func selector(_ name: String, _ rest: inout Substring) -> Selector {
        guard rest.first == "{" else { return Selector(metric: name, labels: [], job: nil) }
        let braces = rest.dropFirst().prefix { $0 != "}" }
        rest = rest.dropFirst(braces.count + 2)
        var labels: Set<String> = []
        var job: String?
        for match in braces.matches(of: #/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"/#) {
            labels.insert(String(match.1))
            if match.1 == "job" { job = String(match.3) }
        }
        return Selector(metric: name, labels: labels, job: job)
    }

    /// The labels of a text of `/metrics`, by the name of the metric.
    public static func labels(ofMetrics text: String) -> [String: Set<String>] {
        var labels: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" && $0 != " " }
            let braces = line.dropFirst(name.count).first == "{" ? line.dropFirst(name.count + 1) : ""
            let own = braces.matches(of: #/([a-zA-Z_]\w*)="/#).map { String($0.1) }
            labels[String(name), default: []].formUnion(own)
        }
        return labels
    }
}
