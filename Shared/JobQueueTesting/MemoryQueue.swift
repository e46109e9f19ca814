/// The bus in memory: what the functions of schema `queue` do, said once more and without a database.
///
/// A job has one place, by its type. Whatever looks at the clock sees it a microsecond later than whoever looked before,
/// as it is in a database, so no two moments are equal.
public struct MemoryQueue: Sendable {
    enum Place: Sendable, Hashable {
        case arrived(Int64)
        case blocked(Int64)
        case ready(slot: Int16, admission: Int64?)
        case deferred(until: Duration, admission: Int64?)
        case running(by: Int32, until: Duration, admission: Int64?)
        /// Dead, and in the way of its key.
        case halted(admission: Int64)
        case completed, dead, cancelled
    }

    struct Job: Sendable {
        let sent: SentJob
        var place: Place
        /// As the rows of the database count: of a job that runs, this attempt included.
        var attempt: Int16 = 0
        /// The last attempt before the last redrive.
        var epoch: Int16 = 0
        /// Workers it has taken down since then.
        var losses = 0
        /// When somebody asked for its end while it ran.
        var cancelAsked: Duration?
    }

    struct Gate: Hashable, Sendable {
        let queue: Int16
        let key: String
    }

    private(set) var now: Duration = .zero
    private(set) var policies: [Int16: QueuePolicy] = [:]
    private(set) var paused: Set<Int16> = []
    var jobs: [Int64: Job] = [:]
    private(set) var gates: [Gate: Int] = [:]
    private var workers: [Int32: Bool] = [:]
    private var holds: [Int32: [Int64]] = [:]
    var ring: [Int16] = [0]
    private var lastWorker: Int32 = 0
    private var lastNumber: Int64 = 0

    /// A bus without queues.
    public init() {}

    // MARK: Arranging

    mutating func declare(_ policy: QueuePolicy) -> Int16 {
        let number = self.policies.first { $0.value.name == policy.name }?.key ?? Int16(self.policies.count + 1)
        self.policies[number] = policy
        for gate in self.gates.keys { self.handOver(gate, freed: 0, after: 0) }
        return number
    }

    mutating func pause(_ queue: Int16) { self.paused.insert(queue) }
    mutating func resume(_ queue: Int16) { self.paused.remove(queue) }
    mutating func advance(by duration: Duration) { self.now += duration }

    mutating func register() -> Int32 {
        self.lastWorker += 1
        self.workers[self.lastWorker] = true
        return self.lastWorker
    }

    mutating func kill(_ worker: Int32) {
        if self.workers[worker] != nil { self.workers[worker] = false }
    }

    mutating func leave(_ worker: Int32) throws {
        try self.require(worker)
        let claims = self.jobs.values.filter { self.runner(of: $0) == worker }
        try self.giveBack(worker, claims.map { Claim($0.sent.id, attempt: $0.attempt) })
        self.forget(worker)
    }

    // MARK: Sending and admission

    mutating func send(_ sent: SentJob) {
        var job = Job(sent: sent, place: .completed)
        if sent.delay > .zero { job.place = .deferred(until: self.tick() + sent.delay, admission: nil) }
        self.jobs[sent.id] = job
        if sent.delay <= .zero { self.place(sent.id, admission: nil) }
    }

    /// Where a job belongs that comes or comes back: with a place of its key it is ready, without one it arrives.
    mutating func place(_ id: Int64, admission: Int64?) {
        guard let job = self.jobs[id] else { return }
        let mustArrive = self.gate(of: job) != nil && admission == nil
        self.move(id, to: mustArrive ? .arrived(self.next()) : .ready(slot: self.openSlot, admission: admission))
    }

    mutating func admit(_ queue: Int16) {
        let arrived = self.ids { job in
            if case .arrived(let number) = job.place, job.sent.queue == queue { number } else { nil }
        }
        for id in arrived {
            guard let job = self.jobs[id], let gate = self.gate(of: job) else { continue }
            let running = self.gates[gate] ?? 0
            let admission = self.next()
            if running < self.keyLimit(queue), self.blocked(gate).isEmpty {
                self.gates[gate] = running + 1
                self.move(id, to: .ready(slot: self.openSlot, admission: admission))
            } else {
                self.move(id, to: .blocked(admission))
            }
        }
    }

    // MARK: Running

    mutating func look(_ worker: Int32, at queue: Int16, limit: Int) throws -> [Claim] {
        try self.require(worker)
        guard !self.paused.contains(queue) else { return [] }
        self.admit(queue)
        return self.inOrder(queue).prefix(limit).compactMap { id in
            self.lease(id, to: worker)
            return self.jobs[id].map { Claim(id, attempt: $0.attempt) }
        }
    }

    mutating func complete(_ worker: Int32, _ claim: Claim) throws {
        let admission = try self.takeLease(worker, claim)
        self.move(claim.id, to: .completed)
        self.release(claim.id, admission)
    }

    mutating func fail(_ worker: Int32, _ claim: Claim, permanently: Bool) throws -> Aftermath {
        let admission = try self.takeLease(worker, claim)
        guard let job = self.jobs[claim.id], let policy = self.policies[job.sent.queue] else { return .dead }
        if job.cancelAsked != nil {
            self.bury(claim.id, admission, as: .cancelled)
            return .cancelled
        }
        if permanently || job.attempt - job.epoch >= policy.attemptsMax {
            self.bury(claim.id, admission, as: .dead)
            return .dead
        }
        self.move(claim.id, to: .deferred(until: self.tick() + policy.backoff, admission: admission))
        return .retry
    }

    mutating func postpone(_ worker: Int32, _ claim: Claim, by delay: Duration) throws {
        let admission = try self.takeLease(worker, claim)
        guard self.jobs[claim.id]?.cancelAsked == nil else {
            return self.bury(claim.id, admission, as: .cancelled)
        }
        self.jobs[claim.id]?.attempt -= 1
        self.move(claim.id, to: .deferred(until: self.tick() + delay, admission: admission))
    }

    mutating func giveBack(_ worker: Int32, _ claims: [Claim]) throws {
        try self.require(worker)
        for claim in claims {
            let admission: Int64?
            do { admission = try self.takeLease(worker, claim) } catch { continue }
            if self.jobs[claim.id]?.cancelAsked != nil {
                self.bury(claim.id, admission, as: .cancelled)
            } else {
                self.jobs[claim.id]?.attempt -= 1
                self.place(claim.id, admission: admission)
            }
        }
    }

    // MARK: Batches

    mutating func batch(_ worker: Int32, of queue: Int16, limit: Int, commits: Bool) throws -> [Int64] {
        try self.require(worker)
        self.admit(queue)
        guard !self.paused.contains(queue) else { return [] }
        let ids = Array(self.inOrder(queue).filter { self.jobs[$0]?.attempt == 0 }.prefix(limit))
        guard commits else { return ids }
        for id in ids {
            guard let job = self.jobs[id], case .ready(_, let admission) = job.place else { continue }
            self.jobs[id]?.attempt = 1
            self.move(id, to: .completed)
            self.release(id, admission)
        }
        return ids
    }

    mutating func announce(_ worker: Int32, _ ids: [Int64]) throws {
        try self.require(worker)
        self.holds[worker] = ids
    }

    mutating func isolate(_ worker: Int32, of queue: Int16, _ ids: [Int64]) throws -> [Int64] {
        try self.require(worker)
        guard !self.paused.contains(queue) else { return [] }
        let untried = self.untried(ids).filter { self.jobs[$0]?.sent.queue == queue }
        for id in untried { self.lease(id, to: worker) }
        return untried
    }

    // MARK: Life

    mutating func promote() {
        let moment = self.tick()
        let due = self.ids { job in
            if case .deferred(let until, _) = job.place, until <= moment { until } else { nil }
        }
        for id in due {
            guard let job = self.jobs[id], case .deferred(_, let admission) = job.place else { continue }
            self.place(id, admission: admission)
        }
    }

    mutating func rescue(_ worker: Int32) throws {
        try self.require(worker)
        let moment = self.tick()
        let lost = self.jobs.values.filter { self.isLost($0, at: moment) }.map(\.sent.id).sorted()
        for id in lost {
            guard let job = self.jobs[id], case .running(_, let until, let admission) = job.place else { continue }
            self.lose(id, admission, killed: until >= moment)
        }
        // Keys are locked in one order within a round, so the batches of the dead are left to the next one.
        guard lost.isEmpty else { return }
        for (dead, isAlive) in self.workers where !isAlive {
            for id in self.untried(self.holds[dead] ?? []) {
                guard case .ready(_, let admission)? = self.jobs[id]?.place else { continue }
                self.jobs[id]?.attempt = 1
                self.lose(id, admission, killed: true)
            }
            self.forget(dead)
        }
    }

    private func isLost(_ job: Job, at moment: Duration) -> Bool {
        guard case .running(let worker, let until, _) = job.place else { return false }
        return self.workers[worker] != true || until < moment
            || job.cancelAsked.map { $0 + .seconds(5) < moment } ?? false
    }

    private mutating func lose(_ id: Int64, _ admission: Int64?, killed: Bool) {
        guard let job = self.jobs[id], let policy = self.policies[job.sent.queue] else { return }
        guard job.cancelAsked == nil else { return self.bury(id, admission, as: .cancelled) }
        let losses = job.losses + (killed ? 1 : 0)
        self.jobs[id]?.losses = losses
        if losses >= policy.lossesMax || job.attempt - job.epoch >= policy.attemptsMax {
            self.bury(id, admission, as: .dead)
        } else {
            self.place(id, admission: admission)
        }
    }

    private mutating func forget(_ worker: Int32) {
        self.workers[worker] = nil
        self.holds[worker] = nil
    }
}

// MARK: - What the operations share

extension MemoryQueue {
    var openSlot: Int16 { self.ring.last ?? 0 }

    mutating func tick() -> Duration {
        self.now += .microseconds(1)
        return self.now
    }

    private mutating func next() -> Int64 {
        self.lastNumber += 1
        return self.lastNumber
    }

    private func require(_ worker: Int32) throws {
        if self.workers[worker] == nil { throw QueueRefusal.workerUnknown }
    }

    func keyLimit(_ queue: Int16) -> Int { self.policies[queue]?.keyLimit ?? .max }

    private func runner(of job: Job) -> Int32? {
        if case .running(let worker, _, _) = job.place { worker } else { nil }
    }

    /// The gate that the job has to pass, if its queue keeps keys in order.
    func gate(of job: Job) -> Gate? {
        guard let key = job.sent.key, self.policies[job.sent.queue]?.keyLimit != nil else { return nil }
        return Gate(queue: job.sent.queue, key: key)
    }

    /// Jobs with a rank, by rank and then by id.
    private func ids<Rank: Comparable>(_ rank: (Job) -> Rank?) -> [Int64] {
        self.jobs.values.compactMap { job in rank(job).map { ($0, job.sent.id) } }.sorted { $0 < $1 }.map(\.1)
    }

    /// What can run, as a look finds it: slot by slot in the order in which they were opened.
    private func inOrder(_ queue: Int16) -> [Int64] {
        let ages = Dictionary(self.ring.enumerated().map { ($1, $0) }) { $1 }
        let found = self.jobs.values.compactMap { job -> (Int, Int16, Int64)? in
            guard job.sent.queue == queue, case .ready(let slot, _) = job.place else { return nil }
            return (ages[slot] ?? -1, job.sent.priority, job.sent.id)
        }
        return found.sorted { $0 < $1 }.map(\.2)
    }

    private func untried(_ ids: [Int64]) -> [Int64] {
        ids.sorted().filter { id in
            guard let job = self.jobs[id], case .ready = job.place else { return false }
            return job.attempt == 0
        }
    }

    func blocked(_ gate: Gate) -> [Int64] {
        self.ids { (job: Job) -> Int64? in
            guard case .blocked(let number) = job.place, self.gate(of: job) == gate else { return nil }
            return number
        }
    }

    mutating func move(_ id: Int64, to place: Place) {
        self.jobs[id]?.place = place
    }

    private mutating func lease(_ id: Int64, to worker: Int32) {
        guard let job = self.jobs[id], case .ready(_, let admission) = job.place else { return }
        let lease = self.policies[job.sent.queue]?.lease ?? .zero
        self.jobs[id]?.attempt += 1
        self.move(id, to: .running(by: worker, until: self.tick() + lease, admission: admission))
    }

    /// The fence.
    private mutating func takeLease(_ worker: Int32, _ claim: Claim) throws -> Int64? {
        try self.require(worker)
        guard let job = self.jobs[claim.id], job.attempt == claim.attempt,
            case .running(worker, _, let admission) = job.place
        else { throw QueueRefusal.claimLost }
        return admission
    }

    mutating func bury(_ id: Int64, _ admission: Int64?, as end: Place) {
        guard let job = self.jobs[id] else { return }
        self.jobs[id]?.cancelAsked = nil
        if end == .dead, let admission, self.policies[job.sent.queue]?.blocksOnDead == true {
            self.move(id, to: .halted(admission: admission))
        } else {
            self.move(id, to: end)
            self.release(id, admission)
        }
    }

    mutating func release(_ id: Int64, _ admission: Int64?) {
        guard let admission, let job = self.jobs[id], let gate = self.gate(of: job) else { return }
        self.handOver(gate, freed: 1, after: admission)
    }

    /// Free places of a key go to its next blocked jobs, or the key counts fewer.
    private mutating func handOver(_ gate: Gate, freed: Int, after admission: Int64) {
        let others = (self.gates[gate] ?? 0) - freed
        let next = self.blocked(gate).prefix(max(0, self.keyLimit(gate.queue) - others))
        for id in next {
            guard case .blocked(let number)? = self.jobs[id]?.place, number > admission else { continue }
            self.move(id, to: .ready(slot: self.openSlot, admission: number))
        }
        let running = others + next.count
        self.gates[gate] = running == 0 ? nil : running
    }
}
