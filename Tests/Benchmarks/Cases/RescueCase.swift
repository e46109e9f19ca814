import Glibc
import JobQueue
import Kernel
import Postgres
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Target I: a process dies by kill -9 in the middle of a job. How long until the job runs elsewhere?
enum RescueCase {
    private static let database = "bench_rescue"

    static func run(_ world: World) async throws {
        for kind in Victim.Kind.allCases {
            var times: [Double] = []
            for _ in 0..<world.rounds { times.append(try await self.once(world, kind)) }
            try world.report.add(
                Figure(
                    "I", "kill -9 to running elsewhere, \(kind.rawValue) handler, worst of \(world.rounds)",
                    times.max() ?? 0, "s", goal: .value(atMost: kind == .batch ? 1 : 5), conditions: world.conditions))
        }
    }

    private static func once(_ world: World, _ kind: Victim.Kind) async throws -> Double {
        try await BenchBus.with(world, Self.database) { bench in
            try await bench.preload(1)
            // This program again, as a worker that never finishes its job; it says a word when it has begun.
            let result = try await Subprocess.run(
                .path("/proc/self/exe"),
                arguments: ["victim", kind.rawValue, bench.database.configuration.conninfo],
                input: .none, output: .sequence, error: .discarded
            ) { execution in
                var output = execution.standardOutput.makeAsyncIterator()
                guard try await output.next() != nil else { throw Victim.Failed(description: "it never ran its job") }
                return try await self.survive(world, bench, kind, victim: execution.processIdentifier.value)
            }
            return result.closureResult
        }
    }

    /// A second worker that is there before the first one dies: seconds from the kill to its handler.
    private static func survive(
        _ world: World, _ bench: BenchBus, _ kind: Victim.Kind, victim: pid_t
    ) async throws -> Double {
        let ran = Countdown(1)
        let clock = ContinuousClock()
        let owner = world.database(Self.database, pool: 1)
        let seconds = try await bench.working([kind.handler { ran.count() }]) {
            try await bench.waitForWorkers(2, seenBy: owner)
            guard kill(victim, SIGKILL) == 0 else { throw Victim.Failed(description: "it was gone already") }
            let killed = clock.now
            await ran.reachesZero()
            return (clock.now - killed).inSeconds
        }
        await owner.shutdown()
        return seconds
    }
}
