import Histogram
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres

/// A question that is carried out whatever happens to who asked.
struct Ask: Call {
    static let name = "bench.ask"
    static let queue: QueueName = "bench.jobs"
    var id: Int64
    var pad = String(repeating: "x", count: 76)

    struct Reply: Codable, Sendable {
        var id: Int64
    }
}

/// A question that only asks.
struct Look: Call {
    static let name = "bench.look"
    static let queue: QueueName = "bench.jobs"
    static let durability = CallDurability.volatile
    var id: Int64
    var pad = String(repeating: "x", count: 76)

    typealias Reply = Ask.Reply
}

/// Target J: from the call to its answer, between two services that know of each other through the database only, at
/// half of the calls a second that sixteen callers can make.
enum CallCases {
    private static let handlers: [Handler] = [
        .reply(Ask.self) { call, _, _ in Ask.Reply(id: call.id) },
        .reply(Look.self) { call, _, _ in Ask.Reply(id: call.id) },
    ]

    static func run(_ world: World) async throws {
        try await BenchBus.with(world, "bench_calls") { bench in
            let shop = BenchBus(
                conninfo: bench.database.configuration.conninfo, reactor: world.reactor, logger: world.logger, pool: 20,
                service: "shop")
            try await bench.working(Self.handlers) {
                try await shop.running(queues: [], handlers: []) {
                    try await Self.measure(world, "durable", goal: 5) { number in
                        _ = try await shop.bus.call(Ask(id: number))
                    }
                    try await Self.measure(world, "volatile", goal: 3) { number in
                        _ = try await shop.bus.call(Look(id: number))
                    }
                }
            }
            await shop.shutdown()
        }
    }

    private static func measure(
        _ world: World, _ name: String, goal: Double, _ call: @escaping @Sendable (Int64) async throws -> Void
    ) async throws {
        let most = try await rate(clients: 16, seconds: world.seconds, on: world.reactor) { client in
            try await call(Int64(client))
        }
        let perSecond = max(10, Int(most / 2))
        let times = NIOLockedValueBox(
            Histogram<UInt32>(highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three))
        let clock = ContinuousClock()
        try await Pace.run(perSecond: perSecond, total: perSecond * max(6, world.seconds * 2), tasks: 32) { number in
            let elapsed = try await clock.measure { try await call(Int64(number)) }
            times.withLockedValue { _ = $0.record(UInt64(elapsed.inSeconds * 1e6)) }
        }
        let conditions = world.conditions.with(["load": "\(perSecond)/s of at most \(Int(most))/s, open loop"])
        for (share, goal) in [(50.0, goal), (99.0, 15.0)] {
            let value = times.withLockedValue { Double($0.valueAtPercentile(share)) / 1000 }
            try world.report.add(
                Figure(
                    "J", "round trip of a \(name) call at \(perSecond)/s, p\(Int(share))", value, "ms",
                    goal: .value(atMost: goal), conditions: conditions))
        }
    }
}
