import Foundation
import TestSupport
import Testing

@testable import Club

/// What an operator sees of all that.
extension MemberStory {
    /// Names that Prometheus makes itself, and labels that it adds.
    private static let ofPrometheus: Set<String> = ["up"]
    private static let labelsOfPrometheus: Set<String> = ["job", "instance"]

    func `every metric of the dashboards and the alerts is measured`() async throws {
        let monitoring = try Monitoring(folder: "\(WalkThroughTests.repository)/deploy/monitoring")
        let expressions = monitoring.expressions
        try #require(expressions.count > 100)
        // Gauges of the queues and the database come every quarter of a minute.
        var missing: [String] = []
        do {
            try await eventually("every metric is there", within: .seconds(90), every: .seconds(1)) {
                let measured = try await self.measured()
                missing = expressions.flatMap { Self.missing(in: $0, measured) }
                return missing.isEmpty
            }
        } catch is NeverHappened {
            Issue.record("not measured: \(missing)")
        }
    }

    /// The labels of every metric, by job.
    private func measured() async throws -> [String: [String: Set<String>]] {
        var measured: [String: [String: Set<String>]] = [:]
        for part in ServicePart.services {
            let answer = try await self.programme.send("GET", part, "/metrics")
            try #require(answer.status == 200)
            let job = part.rawValue.replacingOccurrences(of: "_", with: "-")
            measured[job] = PromQL.labels(ofMetrics: answer.text)
        }
        return measured
    }

    private static func missing(
        in expression: Monitoring.Expression, _ measured: [String: [String: Set<String>]]
    ) -> [String] {
        PromQL.selectors(in: expression.text).compactMap { selector in
            guard !Self.ofPrometheus.contains(selector.metric) else { return nil }
            let jobs = selector.job.map { [$0] } ?? Array(measured.keys)
            let labels = jobs.compactMap { measured[$0]?[selector.metric] }
            guard !labels.isEmpty else { return "\(expression.place): \(selector.metric)" }
            let known = labels.reduce(into: Self.labelsOfPrometheus) { $0.formUnion($1) }
            let unknown = selector.labels.subtracting(known)
            return unknown.isEmpty ? nil : "\(expression.place): \(selector.metric) has no \(unknown.sorted())"
        }
    }
}
