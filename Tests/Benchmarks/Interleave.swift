import Postgres

/// Measures ours and the raw limit in turn (A B A B …), so that a machine whose speed drifts slows both alike.
struct Interleaved: Sendable {
    var ours: [Double] = []
    var raw: [Double] = []

    static func measure(
        rounds: Int, ours: () async throws -> Double, raw: () async throws -> Double
    ) async throws -> Interleaved {
        var result = Interleaved()
        for _ in 0..<rounds {
            result.raw.append(try await raw())
            result.ours.append(try await ours())
        }
        return result
    }

    /// Several in turn (A B C A B C …): the medians, in the order of the bodies.
    static func medians(rounds: Int, _ bodies: [() async throws -> Double]) async throws -> [Double] {
        var values = [[Double]](repeating: [], count: bodies.count)
        for _ in 0..<rounds {
            for (index, body) in bodies.enumerated() { values[index].append(try await body()) }
        }
        return values.map(\.median)
    }
}

/// Runs `body` again and again from `clients` tasks for `seconds` and gives the completed runs a second.
/// - Parameter reactor: where the tasks run. They do nothing but talk to the database, so they run on its thread.
func rate(
    clients: Int, seconds: Int, on reactor: Reactor, _ body: @escaping @Sendable (Int) async throws -> Void
) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    let end = start.advanced(by: .seconds(seconds))
    let completed = try await withThrowingTaskGroup(of: Int.self) { group in
        for client in 0..<clients {
            group.addTask(executorPreference: reactor) {
                var count = 0
                while clock.now < end {
                    try await body(client)
                    count += 1
                }
                return count
            }
        }
        return try await group.reduce(0, +)
    }
    return Double(completed) / (clock.now - start).inSeconds
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
