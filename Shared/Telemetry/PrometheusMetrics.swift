public import Metrics
internal import NIOConcurrencyHelpers

/// Keeps metrics in memory for Prometheus to fetch.
///
/// Names are those of the makers, with what Prometheus does not allow replaced by `_`. Timers are histograms in seconds, and
/// get the ending `_seconds` when they lack it; counters get `_total`. Recorders that aggregate are histograms of plain
/// values, others are gauges. The first use of a name decides its kind; a later one of another kind counts for itself and
/// is not shown, since the text would be invalid. So are series beyond ``seriesLimit`` of one name.
public final class PrometheusMetrics: MetricsFactory {
    /// Most series of one name, so that a label with many values cannot eat the memory.
    public static let seriesLimit = 2000

    private let families = NIOLockedValueBox<[String: MetricFamily]>([:])

    /// Empty.
    public init() {}

    /// Everything in the text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), sorted by name,
    /// with the figures of the process itself.
    public func text() -> String {
        let families = self.families.withLockedValue { $0 }
        var text = PrometheusText()
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.append(name: name, family: family)
        }
        text.append(ProcessMetrics.read())
        return text.text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let series = self.series(label, ending: "_total", dimensions, .counter) { ScalarSeries() }
        return series as? ScalarSeries ?? ScalarSeries()
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let series = self.series(label, ending: "_total", dimensions, .counter) { ScalarSeries() }
        return series as? ScalarSeries ?? ScalarSeries()
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        self.series(label, ending: "", dimensions, .gauge) { ScalarSeries() } as? ScalarSeries ?? ScalarSeries()
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            let series = self.series(label, ending: "", dimensions, .gauge) { ScalarSeries() }
            return series as? ScalarSeries ?? ScalarSeries()
        }
        let make = { HistogramSeries(buckets: HistogramSeries.valueBuckets) }
        return self.series(label, ending: "", dimensions, .histogram, make) as? HistogramSeries ?? make()
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let make = { HistogramSeries(buckets: HistogramSeries.secondBuckets) }
        return self.series(label, ending: "_seconds", dimensions, .histogram, make) as? HistogramSeries ?? make()
    }

    public func destroyCounter(_ handler: any CounterHandler) { self.forget(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { self.forget(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { self.forget(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { self.forget(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { self.forget(handler) }

    /// The series of a name and its labels; nil when it cannot be shown.
    private func series(
        _ label: String, ending: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind,
        _ make: () -> any MetricSeries
    ) -> (any MetricSeries)? {
        let plain = PrometheusText.name(label)
        let name = plain.hasSuffix(ending) ? plain : plain + ending
        let labels = PrometheusText.labels(dimensions)
        return self.families.withLockedValue { families in
            var family = families[name] ?? MetricFamily(kind: kind)
            guard family.kind == kind else { return nil }
            if let known = family.series[labels] { return known }
            guard family.series.count < Self.seriesLimit else { return nil }
            let series = make()
            family.series[labels] = series
            families[name] = family
            return series
        }
    }

    private func forget(_ handler: AnyObject) {
        self.families.withLockedValue { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[labels] = nil
                if family.series.count == 1 { families[name] = nil }
                return
            }
        }
    }
}

/// All series of one name.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable { case counter, gauge, histogram }

    let kind: Kind
    /// By their labels as text: `route="/x",status="200"`, or nothing.
    var series: [String: any MetricSeries] = [:]
}
