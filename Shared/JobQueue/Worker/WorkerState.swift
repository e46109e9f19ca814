internal import DequeModule
internal import Kernel

/// A claimed job in the hands of this process.
struct Assignment: Sendable {
    let job: ClaimedJob
    /// The number under which it was claimed.
    let worker: Int32
    /// When its lease ends, by this process's own clock, on the safe side.
    let expires: ContinuousClock.Instant
}

/// What a worker decides: which queues it asks for how much, what it starts, and when it may sleep. Pure: the claim
/// loop performs it.
///
/// A queue is *dirty* while there may be something in it that this worker has not seen. A look that brings less than it
/// asked for cleans it; a bell makes all queues dirty. A dirty queue is asked again when half of what the worker may
/// hold of it has been worked off, so that a busy worker claims many jobs at a time.
struct WorkerState: Sendable {
    struct Plan: Sendable {
        let number: Int16
        let name: QueueName
        /// Handlers at a time; of a batched queue, batches at a time.
        let slots: Int
        /// Jobs to hold at a time, running or not.
        let capacity: Int
        /// So few in hand, and more are asked for.
        let refill: Int
        /// Whether batches are taken in their handler's transaction.
        let isBatched: Bool
        let batchLimit: Int
        let lease: Duration
        /// From the beginning of a batch that was not full to that of the next.
        var gather = Duration.zero
        /// Whether its jobs have to be admitted before a batch can take them.
        var isAdmitted = false
        /// Whether its batches are made of leased jobs.
        var leasesBatches = false
        /// Whether the end of a job makes room for one that any process may run.
        var isCounted = false
    }

    enum Step: Sendable, Equatable {
        case claim([ClaimRequest])
        case announce
        /// Idle: nothing to do. Not idle: a handler that ends will ring.
        case wait(upTo: Duration, isIdle: Bool)
    }

    /// A task to start.
    enum Start: Sendable, Equatable {
        /// Works off what was claimed of the queue.
        case slot(queue: Int16)
        /// Takes batches of the queue until there is none.
        case runner(queue: Int16, number: Int16)
    }

    private struct QueueState: Sendable {
        let plan: Plan
        var isDirty = true
        var waiting = Deque<Assignment>()
        var running = 0
        var runners: Set<Int16> = []
        var isAskedAgain = false
        var wantsRunner = false
        var floor = ScanFloor()
        /// Its tokens are used up until then.
        var restsUntil: ContinuousClock.Instant?

        var held: Int { self.waiting.count + self.running }
        /// Whether enough has been worked off to ask for more.
        var hasRoom: Bool { self.held <= self.plan.refill }
    }

    private var queues: [Int16: QueueState] = [:]
    private var active: Set<JobID> = []
    private var sleep = SleepProtocol()
    private(set) var isStopping = false
    /// An answer of the database was lost on the way: there may be leases that we do not know of.
    private(set) var mustDisown = false

    init(_ plans: [Plan]) {
        for plan in plans { self.queues[plan.number] = QueueState(plan: plan) }
    }

    // MARK: The loop

    /// What to do now.
    mutating func step(canHear: Bool, jitter: Double, now: ContinuousClock.Instant = .now) -> Step {
        self.wakeRested(at: now)
        let asking = self.requests(at: now)
        guard asking.isEmpty else { return .claim(asking) }
        guard !self.queues.values.contains(where: \.isDirty) else {
            return .wait(upTo: SleepProtocol.shortestPoll, isIdle: false)
        }
        switch self.sleep.step(canHear: canHear, jitter: jitter) {
        case .announce: return .announce
        case .wait(let limit):
            let rest = self.queues.values.compactMap(\.restsUntil).min().map { now.duration(to: $0) }
            return .wait(upTo: min(limit, max(.milliseconds(1), rest ?? limit)), isIdle: true)
        }
    }

    private mutating func requests(at now: ContinuousClock.Instant) -> [ClaimRequest] {
        var requests: [ClaimRequest] = []
        for number in self.queues.keys.sorted() {
            guard var queue = self.queues[number], queue.isDirty, queue.hasRoom else { continue }
            requests.append(
                ClaimRequest(
                    queue: number, limit: queue.plan.capacity - queue.held, isBatched: queue.plan.isBatched,
                    asks: queue.runners.isEmpty, floor: queue.floor.current(at: now)))
            self.queues[number] = queue
        }
        return requests
    }

    /// Queues that have rested are looked at again.
    private mutating func wakeRested(at now: ContinuousClock.Instant) {
        for (number, queue) in self.queues {
            guard let until = queue.restsUntil, until <= now else { continue }
            self.queues[number]?.restsUntil = nil
            self.queues[number]?.isDirty = true
        }
    }

    /// What a look has brought. Answers the queues of which there may be more than this worker can take.
    mutating func claimed(
        _ requests: [ClaimRequest], _ assignments: [Assignment], _ waiting: Set<Int16>,
        resting: [Int16: Duration] = [:], took: Duration = .zero, now: ContinuousClock.Instant = .now
    ) -> [Int16] {
        if !assignments.isEmpty || !waiting.isEmpty { self.sleep.foundWork() }
        for assignment in assignments {
            self.queues[assignment.job.queue]?.waiting.append(assignment)
            self.active.insert(assignment.job.id)
        }
        var full: [Int16] = []
        for request in requests {
            let found = assignments.filter { $0.job.queue == request.queue }
            let isFull = found.count >= request.limit
            // Behind a floor there may be none, and before it some.
            self.queues[request.queue]?.isDirty = isFull || request.floor != nil
            if isFull { full.append(request.queue) }
            if isFull, let last = found.last {
                self.queues[request.queue]?.floor.advance(behind: last.job.place, after: took, at: now)
            } else {
                self.queues[request.queue]?.floor.reset()
            }
            if let pause = resting[request.queue] {
                self.queues[request.queue]?.restsUntil = now.advanced(by: pause)
                self.queues[request.queue]?.isDirty = false
            }
            let isTaken = self.queues[request.queue]?.runners.isEmpty == false
            // Whoever took batches while we asked has ended meanwhile: whether there are more was not asked.
            if !request.asks, !isTaken { self.queues[request.queue]?.isDirty = true }
            guard waiting.contains(request.queue) || !request.asks else { continue }
            if !isTaken {
                self.queues[request.queue]?.wantsRunner = request.asks
            } else {
                self.queues[request.queue]?.isAskedAgain = true
            }
        }
        return full
    }

    /// The tasks to start now.
    mutating func starts() -> [Start] {
        guard !self.isStopping else { return [] }
        var starts: [Start] = []
        for number in self.queues.keys.sorted() {
            guard var queue = self.queues[number] else { continue }
            let idle = min(queue.plan.slots - queue.running, queue.waiting.count)
            starts += (0..<max(0, idle)).map { _ in .slot(queue: number) }
            queue.running += max(0, idle)
            if queue.wantsRunner, queue.runners.count < queue.plan.slots {
                let runner = self.freeRunner()
                queue.runners.insert(runner)
                starts.append(.runner(queue: number, number: runner))
            }
            queue.wantsRunner = false
            self.queues[number] = queue
        }
        return starts
    }

    private func freeRunner() -> Int16 {
        let taken = self.queues.values.reduce(into: Set<Int16>()) { $0.formUnion($1.runners) }
        return (0...Int16.max).first { !taken.contains($0) } ?? Int16.max
    }

    mutating func announced() {
        self.sleep.announced()
        self.makeDirty()
    }

    /// A bell, or a poke of a neighbour: look everywhere.
    mutating func heard(isBell: Bool) {
        if isBell { self.sleep.heardBell() }
        self.makeDirty()
    }

    /// Nobody rang: look everywhere all the same. The end of a queue's rest is no lull.
    mutating func timedOut(now: ContinuousClock.Instant = .now) {
        guard !self.queues.values.contains(where: { $0.restsUntil.map { $0 <= now } ?? false }) else { return }
        self.sleep.timedOut()
        self.makeDirty()
    }

    /// Something has changed in one queue.
    mutating func makeDirty(_ queue: Int16) {
        self.queues[queue]?.isDirty = true
    }

    private mutating func makeDirty() {
        for number in self.queues.keys { self.queues[number]?.isDirty = true }
    }

    // MARK: Tasks

    /// The next job for a slot of the queue; nil ends the slot.
    mutating func nextJob(of queue: Int16) -> Assignment? {
        if !self.isStopping, let next = self.queues[queue]?.waiting.popFirst() { return next }
        self.queues[queue]?.running -= 1
        return nil
    }

    /// The next jobs for a slot of a queue whose batches are leased: first attempts together, a repeated one alone; none
    /// ends the slot.
    mutating func nextBatch(of queue: Int16) -> [Assignment] {
        guard let first = self.nextJob(of: queue) else { return [] }
        var batch = [first]
        guard first.job.attempt == 1, let limit = self.queues[queue]?.plan.batchLimit else { return batch }
        while batch.count < limit, let next = self.queues[queue]?.waiting.first, next.job.attempt == 1,
            next.worker == first.worker
        {
            batch.append(next)
            self.queues[queue]?.waiting.removeFirst()
        }
        return batch
    }

    /// Whether the loop would ask for more of this queue if it looked now.
    func wantsMore(of queue: Int16) -> Bool {
        self.queues[queue].map { $0.isDirty && $0.hasRoom } ?? false
    }

    /// Whether a runner found more than it can take alone.
    func wantsRunner(of queue: Int16) -> Bool {
        self.queues[queue]?.wantsRunner ?? false
    }

    /// A runner has taken a batch. Answers whether it goes on; if not, it has ended.
    mutating func runner(_ number: Int16, of queue: Int16, took count: Int) -> Bool {
        guard var state = self.queues[queue] else { return false }
        defer { self.queues[queue] = state }
        let isFull = count >= state.plan.batchLimit
        if !self.isStopping, isFull || (state.isAskedAgain && count > 0) {
            state.isAskedAgain = false
            // One full batch behind another: more hands are wanted.
            state.wantsRunner = isFull && state.runners.count < state.plan.slots
            return true
        }
        // There was none for it to take, but there may be by now.
        if state.isAskedAgain { state.isDirty = true }
        state.isAskedAgain = false
        state.runners.remove(number)
        return false
    }

    /// A runner leased jobs of a batch that had failed.
    mutating func isolated(_ ids: [JobID]) {
        self.active.formUnion(ids)
    }

    /// The job is not in our hands any more.
    mutating func settled(_ id: JobID) {
        self.active.remove(id)
    }

    // MARK: Life

    var hasTasks: Bool {
        self.queues.values.contains { $0.running > 0 || !$0.runners.isEmpty }
    }

    /// No more is claimed or started.
    mutating func stop() {
        self.isStopping = true
    }

    /// What was claimed and not started leaves our hands.
    mutating func dropWaiting() -> [Assignment] {
        var dropped: [Assignment] = []
        for number in self.queues.keys.sorted() {
            dropped += self.queues[number]?.waiting ?? []
            self.queues[number]?.waiting = []
        }
        for assignment in dropped { self.active.remove(assignment.job.id) }
        return dropped
    }

    /// Leases may have been given that we do not know of. Nor does an announcement stand for certain any more: the bell that
    /// takes it away may ring while the loop waits for the database to come back.
    mutating func lostAnswer() {
        self.mustDisown = true
        self.heard(isBell: true)
    }

    mutating func disowned() {
        self.mustDisown = false
    }

    /// All jobs in our hands.
    var known: [JobID] { self.active.sorted() }
}
