import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Host

/// The files of deploy/monitoring, by themselves. That their metrics exist is shown on a running system (Tests/Journeys).
@Suite struct MonitoringTests {
    private let monitoring: Monitoring

    init() throws {
        self.monitoring = try Monitoring(folder: SourceTree.root + "/deploy/monitoring")
    }

    @Test func `every alert has a severity and a page that says what to do, and there is no page too many`() throws {
        #expect(self.monitoring.alerts.count >= 20)
        #expect(Set(self.monitoring.alerts.map(\.name)).count == self.monitoring.alerts.count)
        for alert in self.monitoring.alerts {
            #expect(["page", "ticket"].contains(alert.severity ?? ""), "\(alert.name)")
            let page = try #require(alert.runbook, "\(alert.name) has no runbook")
            #expect(page == "deploy/monitoring/runbook/\(alert.name).md")
            let text = try SourceTree.text(page)
            #expect(text.hasPrefix("# \(alert.name)\n"), "\(page)")
            #expect(text.contains("\n## Look\n") && text.contains("\n## Do\n"), "\(page)")
            #expect(text.contains(alert.expression), "\(page) shows another expression than the rule")
        }
        let pages = try FileManager.default.contentsOfDirectory(
            atPath: SourceTree.root + "/deploy/monitoring/runbook")
        #expect(Set(pages) == Set(self.monitoring.alerts.map { "\($0.name).md" }))
    }

    @Test func `every service is fetched at its port and has a dashboard, and so have queue and database`() {
        let services = ServiceCatalogue.services.map { $0.text.replacing("_", with: "-") }
        #expect(
            self.monitoring.jobs
                == Dictionary(
                    uniqueKeysWithValues: services.enumerated().map { ($1, 8080 + $0) }))
        #expect(Set(self.monitoring.dashboards.keys) == Set(services + ["queue", "database"]))
        for (name, expressions) in self.monitoring.dashboards { #expect(expressions.count >= 8, "\(name)") }
    }

    @Test func `every expression reads a metric`() {
        for expression in self.monitoring.expressions {
            #expect(!PromQL.selectors(in: expression.text).isEmpty, "\(expression.place)")
        }
    }

    /// The reader that the check on a running system leans on: what it overlooked, nobody would miss.
    @Test func `the reader of expressions finds metrics and nothing else`() {
        func selectors(_ text: String) -> [String] {
            PromQL.selectors(in: text).map { "\($0.metric)\($0.labels.sorted())" }
        }
        #expect(selectors("up == 0") == ["up[]"])
        #expect(
            selectors(
                #"sum by (job) (rate(a_total{status=~"5..", job="x"}[5m])) / sum by (job) (rate(b_total[5m])) > 2e6"#)
                == [#"a_total["job", "status"]"#, "b_total[]"])
        #expect(selectors("histogram_quantile(0.99, sum by (le) (rate(c_bucket[5m])))") == ["c_bucket[]"])
        #expect(selectors("time() - max(d_seconds) > 2 * 86400") == ["d_seconds[]"])
        #expect(selectors(#"e{a="by (f) g"} or on (h) i"#) == [#"e["a"]"#, "i[]"])
        #expect(PromQL.selectors(in: #"k{job="ledger"}"#).map(\.job) == ["ledger"])
        let metrics = "# TYPE a counter\na_total{x=\"1\",le=\"2\"} 3\nb 4\n"
        #expect(PromQL.labels(ofMetrics: metrics) == ["a_total": ["x", "le"], "b": []])
    }
}
