import Histogram
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres

/// Target D: from the sender's call to the handler's first line, in an open loop.
enum LatencyCase {
    /// Sessions are opened and statements planned in the first moments; they are not counted.
    private static let warmUp = 1

    static func run(_ world: World) async throws {
        try await BenchBus.with(world, "bench_latency") { bench in
            let seconds = max(6, world.seconds * 3)
            try await self.measure(world, bench, rate: 200, seconds: seconds, "at 200 jobs/s", goals: (1.5, 8))
            let most = try await self.most(world, bench)
            let rate = max(200, Int(most * 0.7))
            try await self.measure(
                world, bench, rate: rate, seconds: seconds, "at 70 % of the most (\(rate) jobs/s)", goals: (3, 10))
        }
    }

    /// Jobs a second that are sent and run one by one when there are always eight senders: the most of this machine.
    private static func most(_ world: World, _ bench: BenchBus) async throws -> Double {
        let done = Counter()
        return try await bench.working([.transactional(Stamped.self) { _, _, _ in _ = done.next() }]) {
            _ = try await rate(clients: 8, seconds: world.seconds, on: world.reactor) { _ in
                done.expect()
                try await bench.bus.send(Stamped(sentAt: Timestamp(microseconds: 0)))
                // As many are under way as the worker can take: no backlog grows.
                while done.lag > 64 { try await Task.sleep(for: .milliseconds(1)) }
            }
            return Double(done.count) / Double(world.seconds)
        }
    }

    private static func measure(
        _ world: World, _ bench: BenchBus, rate: Int, seconds: Int, _ name: String, goals: (p50: Double, p99: Double)
    ) async throws {
        let waits = NIOLockedValueBox(
            Histogram<UInt32>(highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three))
        let clock = SystemClock()
        let total = rate * (seconds + Self.warmUp)
        let countdown = Countdown(total)
        let counted = NIOLockedValueBox(Int64.max)
        let handler = Handler.transactional(Stamped.self) { message, _, _ in
            let waited = UInt64(max(0, clock.now.microseconds - message.sentAt.microseconds))
            if message.sentAt.microseconds >= counted.withLockedValue({ $0 }) {
                waits.withLockedValue { _ = $0.record(waited) }
            }
            countdown.count()
        }
        try await bench.working([handler]) {
            counted.withLockedValue { $0 = clock.now.microseconds + Int64(Self.warmUp) * 1_000_000 }
            try await Pace.run(perSecond: rate, total: total, tasks: 16) { _ in
                try await bench.bus.send(Stamped(sentAt: clock.now))
            }
            await countdown.reachesZero()
        }
        let conditions = world.conditions.with([
            "load": "\(rate)/s, open loop", "warm-up": "\(Self.warmUp) s", "from": "just before the sending statement",
            "to": "the handler's first line",
        ])
        for (share, goal) in [(50.0, goals.p50), (99.0, goals.p99)] {
            let value = waits.withLockedValue { Double($0.valueAtPercentile(share)) / 1000 }
            try world.report.add(
                Figure(
                    "D", "send to handler \(name), p\(Int(share))", value, "ms", goal: .value(atMost: goal),
                    conditions: conditions))
        }
    }
}

/// An open loop: number n is due at a fixed moment, whatever became of the ones before it.
enum Pace {
    static func run(
        perSecond: Int, total: Int, tasks: Int, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let numbers = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    while true {
                        let number = Int(numbers.next()) - 1
                        guard number < total else { return }
                        try await clock.sleep(
                            until: start.advanced(by: .nanoseconds(number * (1_000_000_000 / perSecond))),
                            tolerance: .zero)
                        try await body(number)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
