/// A ``MemoryQueue`` as a driver. Operations come one after another.
public actor MemoryDriver: QueueDriver {
    private var queue = MemoryQueue()

    /// An empty bus.
    public init() {}

    public func declare(_ policy: QueuePolicy) -> Int16 { self.queue.declare(policy) }
    public func register() -> Int32 { self.queue.register() }
    public func kill(_ worker: Int32) { self.queue.kill(worker) }
    public func leave(_ worker: Int32) throws { try self.queue.leave(worker) }
    public func advance(by duration: Duration) { self.queue.advance(by: duration) }

    public func send(_ job: SentJob) { self.queue.send(job) }

    public func look(_ worker: Int32, at queue: Int16, limit: Int) throws -> [Claim] {
        try self.queue.look(worker, at: queue, limit: limit)
    }

    public func complete(_ worker: Int32, _ claim: Claim) throws { try self.queue.complete(worker, claim) }

    public func fail(_ worker: Int32, _ claim: Claim, permanently: Bool) throws -> Aftermath {
        try self.queue.fail(worker, claim, permanently: permanently)
    }

    public func postpone(_ worker: Int32, _ claim: Claim, by delay: Duration) throws {
        try self.queue.postpone(worker, claim, by: delay)
    }

    public func giveBack(_ worker: Int32, _ claims: [Claim]) throws { try self.queue.giveBack(worker, claims) }

    public func batch(_ worker: Int32, of queue: Int16, limit: Int, commits: Bool) throws -> [Int64] {
        try self.queue.batch(worker, of: queue, limit: limit, commits: commits)
    }

    public func announce(_ worker: Int32, of queue: Int16, _ ids: [Int64]) throws {
        try self.queue.announce(worker, ids)
    }

    public func isolate(_ worker: Int32, of queue: Int16, _ ids: [Int64]) throws -> [Int64] {
        try self.queue.isolate(worker, of: queue, ids)
    }

    public func promote() { self.queue.promote() }
    public func rescue(_ worker: Int32) throws { try self.queue.rescue(worker) }
    public func cancel(_ id: Int64) -> Cancelling { self.queue.cancel(id) }
    public func redrive(_ queue: Int16, _ ids: [Int64]) -> Int { self.queue.redrive(queue, ids) }
    public func skip(_ queue: Int16, _ id: Int64) -> Bool { self.queue.skip(queue, id) }
    public func pause(_ queue: Int16) { self.queue.pause(queue) }
    public func resume(_ queue: Int16) { self.queue.resume(queue) }
    public func store(_ step: StorageStep) -> String { self.queue.store(step) }
    public func snapshot() -> QueueSnapshot { self.queue.snapshot() }
    public func violations() -> [String] { self.queue.violations() }
}
