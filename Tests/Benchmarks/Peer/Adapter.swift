import ArgumentParser
import FoundationEssentials
import Glibc
import JobQueue
import Kernel
import Logging
import NIOConcurrencyHelpers
import Postgres

/// Our queue as one more peer of `peers/run`, with the command line of `peers/adapters/common.py`.
///
/// Jobs are sent by one service, the shop, and done by another, the bench: so it is between processes here, too.
struct Adapter: AsyncParsableCommand {
    enum Verb: String, CaseIterable, ExpressibleByArgument {
        case setup, produce, bulk, steady, worker, one
    }

    static let configuration = CommandConfiguration(
        abstract: "Our queue as a peer (used by peers/run).", shouldDisplay: false)

    @Flag(help: "One job in one transaction, instead of batches of 500.") var single = false
    @Argument var verb: Verb
    @Option var dsn: String
    @Option var slots = 1
    @Option var seconds = 5.0
    @Option(help: "When to begin, in seconds of the monotonic clock.") var startAt = 0.0
    @Option(help: "Jobs a second.") var rate = 200.0
    @Option(help: "How many jobs; or the number of the one.") var n = 1000
    @Option(help: "A file of three Int64: jobs handled, first and last moment in ns.") var counter: String?
    @Option(help: "A file with a line for each job.") var log: String?
    @Flag(help: "Hold on to the job for ever.") var hold = false

    func run() async throws {
        let reactor = try Reactor()
        let logger = Logger(label: "adapter") { _ in SwiftLogNoOpLogHandler() }
        let place = Place(conninfo: self.dsn, reactor: reactor, logger: logger)
        switch self.verb {
        case .setup: try await self.setup(place)
        case .produce:
            try await place.sending(self.slots) { bench in
                for slot in 0..<self.slots { try await bench.bus.send(NoOp(id: Int64(slot))) }
                try await Self.sleep(untilSecond: self.startAt)
                let (count, seconds) = try await self.produce(bench, reactor)
                Report.say(#"{"n": \#(count), "seconds": \#(seconds)}"# + "\n")
            }
        case .bulk:
            try await place.sending(1) { bench in
                let clock = ContinuousClock()
                let elapsed = try await clock.measure { try await bench.preload(self.n) }
                Report.say(#"{"n": \#(self.n), "seconds": \#(elapsed.inSeconds)}"# + "\n")
            }
        case .steady: try await place.sending(self.slots) { try await self.steady($0) }
        case .one:
            try await place.sending(1) { try await $0.bus.send(NoOp(id: Int64(self.n))) }
            Report.say(#"{"n": 1}"# + "\n")
        case .worker:
            let sink = try Sink(counter: self.counter, log: self.log)
            try await Self.sleep(untilSecond: self.startAt)
            try await place.bench(BenchBus.service, pool: 12).working([self.handler(sink)]) {
                try await Task.sleep(for: .seconds(3600))
            }
        }
    }

    /// What the harness must know of us.
    private struct Description: Codable {
        var versions = ["club": "this checkout"]
        var settings: [String: String]
        var remaining = BenchBus.unfinished
        var jobs = 50_000
        var history = "kept"

        enum CodingKeys: String, CodingKey {
            case versions, settings, history
            case remaining = "remaining_sql"
            case jobs = "burn_n"
        }
    }

    private func setup(_ place: Place) async throws {
        try await BenchBus.prepare(
            DatabaseConfiguration(conninfo: self.dsn, applicationName: "adapter"), reactor: place.reactor,
            logger: place.logger)
        let settings = [
            "handler": self.single ? "transactional, one at a time" : "batches of 500 in a transaction",
            "slots": "8 (default)", "bulk": "1000 a transaction", "rest": "defaults",
        ]
        Report.say(
            String(decoding: try JSONEncoder().encode(Description(settings: settings)), as: UTF8.self) + "\n")
    }

    private func handler(_ sink: Sink) -> Handler {
        let holds = self.hold
        guard !self.single else {
            return .transactional(NoOp.self) { message, _, _ in
                sink.hit(message.id)
                if holds { try await Task.sleep(for: .seconds(3600)) }
            }
        }
        return .batch(NoOp.self, limit: 500) { jobs, _ in
            for job in jobs { sink.hit(job.message.id) }
            if holds { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    /// One job a commit from each slot, as fast as it goes.
    private func produce(_ bench: BenchBus, _ reactor: Reactor) async throws -> (count: Int, seconds: Double) {
        let start = Monotonic.nanoseconds
        let end = start + Int64(self.seconds * 1e9)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<self.slots {
                group.addTask(executorPreference: reactor) {
                    var count = 0
                    while Monotonic.nanoseconds < end {
                        try await bench.bus.send(NoOp(id: Int64(count)))
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return (count, Double(Monotonic.nanoseconds - start) / 1e9)
    }

    /// An open loop: job i is due at a fixed moment, whatever became of the ones before it.
    private func steady(_ bench: BenchBus) async throws {
        for slot in 0..<self.slots { try await bench.bus.send(NoOp(id: Int64(-1 - slot))) }
        try await Task.sleep(for: .seconds(1))
        let start = Monotonic.nanoseconds + 200_000_000
        let total = Int64(self.rate * self.seconds)
        let interval = 1e9 / self.rate
        let numbers = Counter()
        let lines = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<self.slots {
                group.addTask {
                    var lines: [String] = []
                    while true {
                        let number = numbers.next() - 1
                        guard number < total else { return lines }
                        let due = start + Int64(Double(number) * interval)
                        try await Task.sleep(for: .nanoseconds(max(0, due - Monotonic.nanoseconds)))
                        let before = Monotonic.nanoseconds
                        try await bench.bus.send(NoOp(id: number))
                        lines.append("\(number) \(due) \(before) \(Monotonic.nanoseconds)\n")
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        if let log { try lines.joined().write(toFile: log, atomically: false, encoding: .utf8) }
        Report.say(#"{"n": \#(lines.count)}"# + "\n")
    }

    private static func sleep(untilSecond second: Double) async throws {
        let wait = second - Double(Monotonic.nanoseconds) / 1e9
        if wait > 0 { try await Task.sleep(for: .seconds(wait)) }
    }
}

/// The database that the harness names.
private struct Place: Sendable {
    let conninfo: String
    let reactor: Reactor
    let logger: Logger

    func bench(_ service: ServiceName, pool: Int) -> BenchBus {
        BenchBus(conninfo: self.conninfo, reactor: self.reactor, logger: self.logger, pool: pool, service: service)
    }

    /// Runs the body as the service that sends, with a station, so that it rings for the others after its commits.
    func sending(_ slots: Int, _ body: @escaping @Sendable (BenchBus) async throws -> Void) async throws {
        let shop = self.bench("shop", pool: slots + 4)
        try await shop.running(queues: [], handlers: []) { try await body(shop) }
        await shop.shutdown()
    }
}

/// The clock that Python's `time.monotonic` reads.
enum Monotonic {
    static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
