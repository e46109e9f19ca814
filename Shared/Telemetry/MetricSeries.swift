internal import Metrics
internal import NIOConcurrencyHelpers

/// The present value of one name with one set of labels.
protocol MetricSeries: AnyObject, Sendable {
    var reading: MetricReading { get }
}

/// What a series shows when it is fetched.
enum MetricReading: Sendable, Equatable {
    case scalar(Double)
    /// For each bucket its upper bound and how many values are at or below it; then their sum and number.
    case histogram(buckets: [(bound: Double, count: UInt64)], sum: Double, count: UInt64)

    static func == (left: MetricReading, right: MetricReading) -> Bool {
        switch (left, right) {
        case (.scalar(let a), .scalar(let b)): a == b
        case (.histogram(let a, let sumA, let countA), .histogram(let b, let sumB, let countB)):
            sumA == sumB && countA == countB && a.elementsEqual(b, by: ==)
        default: false
        }
    }
}

/// A counter or a gauge.
final class ScalarSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler {
    private let value = NIOLockedValueBox<Double>(0)

    var reading: MetricReading { .scalar(self.value.withLockedValue { $0 }) }

    func increment(by amount: Int64) { self.value.withLockedValue { $0 += Double(amount) } }
    func increment(by amount: Double) { self.value.withLockedValue { $0 += amount } }
    func decrement(by amount: Double) { self.value.withLockedValue { $0 -= amount } }
    func reset() { self.value.withLockedValue { $0 = 0 } }
    func set(_ value: Int64) { self.value.withLockedValue { $0 = Double(value) } }
    func set(_ value: Double) { self.value.withLockedValue { $0 = value } }
    func record(_ value: Int64) { self.set(value) }
    func record(_ value: Double) { self.set(value) }
}

/// How many values fell below each of some bounds.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    /// 1 ms to 10 s: from a statement by primary key to what nobody waits for any more.
    static let secondBuckets: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// For sizes of batches and the like.
    static let valueBuckets: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

    private struct State {
        var counts: [UInt64]
        var sum = 0.0
        var count: UInt64 = 0
    }

    private let bounds: [Double]
    private let state: NIOLockedValueBox<State>

    /// - Parameter buckets: rising upper bounds; values above the last are in none.
    init(buckets: [Double]) {
        self.bounds = buckets
        self.state = NIOLockedValueBox(State(counts: Array(repeating: 0, count: buckets.count)))
    }

    var reading: MetricReading {
        let state = self.state.withLockedValue { $0 }
        var below: UInt64 = 0
        let buckets = zip(self.bounds, state.counts).map { bound, count in
            below += count
            return (bound: bound, count: below)
        }
        return .histogram(buckets: buckets, sum: state.sum, count: state.count)
    }

    func record(_ value: Int64) { self.record(Double(value)) }

    func record(_ value: Double) {
        let bucket = self.bounds.firstIndex { value <= $0 }
        self.state.withLockedValue { state in
            if let bucket { state.counts[bucket] += 1 }
            state.sum += value
            state.count += 1
        }
    }

    func recordNanoseconds(_ duration: Int64) { self.record(Double(duration) / 1_000_000_000) }
}
