extension MemoryQueue {
    func snapshot() -> QueueSnapshot {
        var snapshot = QueueSnapshot()
        for (id, job) in self.jobs { snapshot.jobs[id] = Self.place(of: job) }
        for (gate, running) in self.gates { snapshot.gates["\(gate.queue)/\(gate.key)"] = running }
        return snapshot
    }

    private static func place(of job: Job) -> QueueSnapshot.Place {
        let name: String
        var worker: Int32?
        switch job.place {
        case .arrived: name = "arrived"
        case .blocked: name = "blocked"
        case .ready: name = "ready"
        case .deferred: name = "deferred"
        case .running(let by, _, _): (name, worker) = ("running", by)
        case .halted: name = "halted"
        case .completed: name = "completed"
        case .dead: name = "dead"
        case .cancelled: name = "cancelled"
        }
        return QueueSnapshot.Place(name, attempt: job.attempt, worker: worker)
    }

    /// What `queue.check_keys` looks for: the rest cannot be wrong here.
    func violations() -> [String] {
        var held: [Gate: [Int64]] = [:]
        var waiting: [Gate: [Int64]] = [:]
        for job in self.jobs.values {
            guard let gate = self.gate(of: job) else { continue }
            if let admission = Self.admission(of: job) { held[gate, default: []].append(admission) }
            if case .blocked(let number) = job.place { waiting[gate, default: []].append(number) }
        }
        var found: [String] = []
        for gate in Set(held.keys).union(waiting.keys).union(self.gates.keys) {
            let (count, limit) = (held[gate]?.count ?? 0, self.keyLimit(gate.queue))
            let first = waiting[gate]?.min()
            if count != self.gates[gate] ?? 0 { found.append("a gate counts wrongly: \(gate)") }
            if count > limit { found.append("more jobs of a key than its queue allows: \(gate)") }
            if count < limit, first != nil { found.append("a key has room and blocked jobs: \(gate)") }
            if let first, let last = held[gate]?.max(), first < last {
                found.append("a job overtook another of its key: \(gate)")
            }
        }
        return found
    }

    private static func admission(of job: Job) -> Int64? {
        switch job.place {
        case .ready(_, let admission), .deferred(_, let admission), .running(_, _, let admission): admission
        case .halted(let admission): admission
        case .arrived, .blocked, .completed, .dead, .cancelled: nil
        }
    }
}
