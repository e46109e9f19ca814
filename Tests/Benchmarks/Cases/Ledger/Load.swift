import FoundationEssentials

/// What clients of pgbench do again and again: scripts of which each has a weight.
struct Load: Sendable {
    let name: String
    let scripts: [(weight: Int, text: String)]
    /// How many operations one run of a script is.
    let operations: Double

    init(_ name: String, _ scripts: [(weight: Int, text: String)], operations: Double = 1) {
        (self.name, self.scripts, self.operations) = (name, scripts, operations)
    }

    /// What was measured of a load.
    struct Measured: Sendable {
        /// Operations a second.
        let rate: Double
        /// Milliseconds of one run of a script; with a fixed rate counted from when it should have begun.
        let p50: Double
        let p99: Double
    }
}

extension PgBench {
    /// Runs a load and measures the latency of each run of its scripts.
    /// - Parameters:
    ///   - variables: what the scripts name as `:name`.
    ///   - pace: runs a second over all clients, come what may; nil for as many as there can be.
    func measure(
        _ load: Load, clients: Int, seconds: Int, variables: [String: Int] = [:], pace: Int? = nil
    ) async throws -> Load.Measured {
        try await Self.withFolder { folder in
            var arguments = ["-T", "\(seconds)", "-l", "--log-prefix", "\(folder)/latency"]
            for (number, script) in load.scripts.enumerated() {
                let file = "\(folder)/\(number).sql"
                try script.text.write(toFile: file, atomically: true, encoding: .utf8)
                arguments += ["-f", "\(file)@\(script.weight)"]
            }
            if let pace { arguments += ["-R", "\(pace)"] }
            arguments += variables.sorted { $0.key < $1.key }.flatMap { ["-D", "\($0.key)=\($0.value)"] }
            let output = try await self.run(script: nil, clients: clients, arguments)
            let times = try Self.latencies(folder)
            return Load.Measured(
                rate: try Self.rate(output) * load.operations, p50: times.percentile(50), p99: times.percentile(99))
        }
    }

    /// pgbench's built-in TPC-B, prepared.
    func measureTPCB(clients: Int, seconds: Int) async throws -> Load.Measured {
        try await Self.withFolder { folder in
            let output = try await self.run(
                script: nil, clients: clients,
                ["-T", "\(seconds)", "-b", "tpcb-like", "-l", "--log-prefix", "\(folder)/latency"])
            let times = try Self.latencies(folder)
            return Load.Measured(rate: try Self.rate(output), p50: times.percentile(50), p99: times.percentile(99))
        }
    }

    private static func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
        let folder = "/tmp/club-pgbench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    /// pgbench logs a line for each transaction; the third field is its time in microseconds.
    private static func latencies(_ folder: String) throws -> [Double] {
        var times: [Double] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasPrefix("latency") {
            guard let content = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            for line in content.split(separator: UInt8(ascii: "\n")) {
                let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3)
                guard fields.count > 2, let time = Double(String(decoding: fields[2], as: UTF8.self)) else { continue }
                times.append(time / 1000)
            }
        }
        return times.sorted()
    }
}

extension [Double] {
    /// Of sorted values the one that `share` of a hundred are not above (nearest rank).
    func percentile(_ share: Double) -> Double {
        guard !self.isEmpty else { return 0 }
        let rank = (share / 100 * Double(self.count)).rounded(.up)
        return self[Swift.min(Swift.max(Int(rank), 1), self.count) - 1]
    }
}

extension [Load.Measured] {
    /// The medians of several rounds.
    var median: Load.Measured {
        Load.Measured(
            rate: self.map(\.rate).median, p50: self.map(\.p50).median, p99: self.map(\.p99).median)
    }
}
