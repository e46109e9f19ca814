import Metrics
import Testing

@testable import Telemetry

@Suite struct PrometheusTests {
    private let metrics = PrometheusMetrics()

    /// Without the figures of the process, which differ from run to run.
    private var text: String {
        let own = self.metrics.text().split(separator: "\n", omittingEmptySubsequences: false)
        return own.prefix { !$0.hasPrefix("# HELP process_") }.joined(separator: "\n")
    }

    @Test func `a counter counts, and its name ends in _total`() {
        let counter = Counter(label: "receipts", factory: self.metrics)
        counter.increment()
        counter.increment(by: 41)
        #expect(self.text == "# TYPE receipts_total counter\nreceipts_total 42")
    }

    @Test func `labels are sorted by name and belong to series of one family`() {
        Counter(label: "http_total", dimensions: [("status", "200"), ("route", "/x")], factory: self.metrics)
            .increment()
        Counter(label: "http_total", dimensions: [("route", "/x"), ("status", "200")], factory: self.metrics)
            .increment()
        Counter(label: "http_total", dimensions: [("route", "/a")], factory: self.metrics).increment()
        #expect(
            self.text == """
                # TYPE http_total counter
                http_total{route="/a"} 1
                http_total{route="/x",status="200"} 2
                """)
    }

    @Test func `a timer is a histogram in seconds whose buckets add up`() {
        let timer = Timer(label: "job", factory: self.metrics)
        for milliseconds: Int64 in [1, 30, 20_000] { timer.recordMilliseconds(milliseconds) }
        #expect(
            self.text == """
                # TYPE job_seconds histogram
                job_seconds_bucket{le="0.001"} 1
                job_seconds_bucket{le="0.0025"} 1
                job_seconds_bucket{le="0.005"} 1
                job_seconds_bucket{le="0.01"} 1
                job_seconds_bucket{le="0.025"} 1
                job_seconds_bucket{le="0.05"} 2
                job_seconds_bucket{le="0.1"} 2
                job_seconds_bucket{le="0.25"} 2
                job_seconds_bucket{le="0.5"} 2
                job_seconds_bucket{le="1"} 2
                job_seconds_bucket{le="2.5"} 2
                job_seconds_bucket{le="5"} 2
                job_seconds_bucket{le="10"} 2
                job_seconds_bucket{le="+Inf"} 3
                job_seconds_sum 20.031
                job_seconds_count 3
                """)
    }

    @Test func `a gauge shows what it was last set to`() {
        let gauge = Gauge(label: "pool.idle", factory: self.metrics)
        gauge.record(7)
        gauge.record(2.5)
        #expect(self.text == "# TYPE pool_idle gauge\npool_idle 2.5")
    }

    @Test(arguments: [
        ("plain", "plain"), ("quo\"te", #"quo\"te"#), (#"back\slash"#, #"back\\slash"#), ("line\nfeed", #"line\nfeed"#),
        ("скидка", "скидка"), ("", ""),
    ])
    func `values of labels are escaped`(value: String, escaped: String) {
        #expect(PrometheusText.labels([("v", value)]) == "v=\"\(escaped)\"")
    }

    @Test(arguments: [
        ("http.server.requests", "http_server_requests"), ("a-b c", "a_b_c"), ("9lives", "_9lives"), ("", "_"),
        ("ns:name", "ns:name"), ("число", "_____"),
    ])
    func `names become what the format allows`(label: String, name: String) {
        #expect(PrometheusText.name(label) == name)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.5, "-0.5"), (1e15, "1000000000000000"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
        (.nan, "NaN"),
    ])
    func `numbers are written as the format wants them`(value: Double, text: String) {
        #expect(PrometheusText.number(value) == text)
    }

    @Test func `a name that is used as another kind too stays what it was first`() {
        Counter(label: "jobs_total", factory: self.metrics).increment()
        Gauge(label: "jobs_total", factory: self.metrics).record(5)
        #expect(self.text == "# TYPE jobs_total counter\njobs_total 1")
    }

    @Test func `labels with ever new values cannot eat the memory`() {
        for number in 0..<(PrometheusMetrics.seriesLimit + 10) {
            Counter(label: "hits_total", dimensions: [("path", "/\(number)")], factory: self.metrics).increment()
        }
        #expect(self.text.split(separator: "\n").count == PrometheusMetrics.seriesLimit + 1)
    }

    @Test func `what is destroyed is no longer shown`() {
        let counter = Counter(label: "gone", factory: self.metrics)
        counter.increment()
        counter.destroy()
        #expect(self.text.isEmpty)
    }

    @Test func `the process shows its memory, descriptors, time and start`() throws {
        let text = self.metrics.text()
        for name in [
            "process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total",
            "process_start_time_seconds",
        ] {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            let value = try #require(Double(line.dropFirst(name.count + 1)))
            #expect(value > 0)
        }
    }
}
