// What operators do, and what keeps the storage flat.
extension MemoryQueue {
    mutating func cancel(_ id: Int64) -> Cancelling {
        guard let job = self.jobs[id] else { return .outOfReach }
        switch job.place {
        case .running:
            let moment = self.tick()
            if job.cancelAsked == nil { self.jobs[id]?.cancelAsked = moment }
            return .asked
        case .ready(_, let admission), .deferred(_, let admission):
            self.bury(id, admission, as: .cancelled)
            return .cancelled
        case .arrived, .blocked:
            self.bury(id, nil, as: .cancelled)
            return .cancelled
        case .halted, .completed, .dead, .cancelled:
            return .outOfReach
        }
    }

    mutating func redrive(_ queue: Int16, _ ids: [Int64]) -> Int {
        var count = 0
        for id in Set(ids).sorted() {
            guard let job = self.jobs[id], job.sent.queue == queue else { continue }
            var admission: Int64?
            if case .halted(let place) = job.place { admission = place } else if job.place != .dead { continue }
            self.jobs[id]?.epoch = job.attempt
            self.jobs[id]?.losses = 0
            self.place(id, admission: admission)
            count += 1
        }
        return count
    }

    mutating func skip(_ queue: Int16, _ id: Int64) -> Bool {
        guard let job = self.jobs[id], job.sent.queue == queue, case .halted(let admission) = job.place else {
            return false
        }
        self.move(id, to: .dead)
        self.release(id, admission)
        return true
    }

    /// Slots matter for one thing: claims find the jobs of older ones first.
    mutating func store(_ step: StorageStep) -> String {
        switch step {
        case .rotate:
            let next = (1...7).map { (self.openSlot + $0) % 8 }.first { !self.ring.contains($0) }
            if let next { self.ring.append(next) }
            return next.map(String.init) ?? "full"
        case .sweep(let slot):
            if slot == self.openSlot { return "current" }
            let isUsed = self.jobs.values.contains { if case .ready(slot, _) = $0.place { true } else { false } }
            if isUsed { return "not empty" }
            self.ring.removeAll { $0 == slot }
            return "truncated"
        case .compact:
            return "kept"
        case .keepFlat("sweep"):
            return self.ring.map { self.store(.sweep(slot: $0)) }.joined(separator: ", ")
        case .keepFlat("tidy"):
            return "0 keys helped"
        case .keepFlat:
            return ""
        }
    }
}
