/// Where every job is and how many places of each key are taken.
public struct QueueSnapshot: Sendable, Hashable, CustomStringConvertible {
    /// The place of one job.
    public struct Place: Sendable, Hashable, CustomStringConvertible {
        /// The name of a place or of an end, as `queue.show` says it.
        public let name: String
        /// Attempts so far; of a job that runs, including this one.
        public let attempt: Int16
        /// Who runs it.
        public let worker: Int32?

        /// A place.
        public init(_ name: String, attempt: Int16, worker: Int32? = nil) {
            self.name = name
            self.attempt = attempt
            self.worker = worker
        }

        /// `running 2 by 1`.
        public var description: String {
            "\(self.name) \(self.attempt)" + (self.worker.map { " by \($0)" } ?? "")
        }
    }

    /// By job. A job that is in two places at once shows as `several`.
    public var jobs: [Int64: Place]
    /// Taken places by `queue/key`; keys at rest are not there.
    public var gates: [String: Int]

    /// Nothing.
    public init(jobs: [Int64: Place] = [:], gates: [String: Int] = [:]) {
        self.jobs = jobs
        self.gates = gates
    }

    /// One line for each job and each key.
    public var description: String {
        let jobs = self.jobs.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        let gates = self.gates.sorted { $0.key < $1.key }.map { "gate \($0.key): \($0.value)" }
        return (jobs + gates).joined(separator: "\n")
    }

    /// What the other one says differently, one line each.
    public func differences(from other: QueueSnapshot) -> [String] {
        var lines: [String] = []
        for id in Set(self.jobs.keys).union(other.jobs.keys).sorted() where self.jobs[id] != other.jobs[id] {
            lines.append("job \(id): \(Self.text(self.jobs[id])), not \(Self.text(other.jobs[id]))")
        }
        for gate in Set(self.gates.keys).union(other.gates.keys).sorted() where self.gates[gate] != other.gates[gate] {
            lines.append("gate \(gate): \(self.gates[gate] ?? 0), not \(other.gates[gate] ?? 0)")
        }
        return lines
    }

    private static func text(_ place: Place?) -> String { place.map(\.description) ?? "nowhere" }
}
