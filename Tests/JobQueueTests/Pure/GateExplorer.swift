/// A model of arrival, gate, blocked and hand-over, at the grain of locks and commits: one admitter, two workers, a sender.
/// Every step is what one statement does between two waits; what a transaction wrote shows to others when it commits.
///
///     sender    send
///     admitter  read the arrivals · lock gate after gate · place (pending) · commit
///     worker    claim up to two · [fail: back to ready] · lock gate after gate · hand over (pending) · commit
struct GateModel: Sendable {
    /// What is wrong on purpose.
    enum Fault: Sendable, CaseIterable {
        /// The gate lets one too many in.
        case offByOne
        /// The admitter looks who is there before it has the gates.
        case admitsFromOldSnapshot
        /// The worker looks who waits before it has the gates.
        case releasesFromOldSnapshot
        /// The worker hands over without locking the gate.
        case releasesWithoutLock
        /// The worker ends its job and leaves the place taken.
        case skipsRelease
        /// The worker locks its gates in the order in which its jobs came.
        case locksInAnyOrder
        /// A job that fails hands its place on.
        case failureLosesPlace
    }

    struct World: Hashable, Sendable {
        /// Keys of the jobs not yet sent; a job is known by its number in the order of sending.
        var toSend: [Int]
        var keys: [Int] = []
        var arrived: [Int] = []
        var ready: Set<Int> = []
        var blocked: [Int] = []
        var done: [Int] = []
        var running: [Int: Int] = [:]
        /// Who has locked the gate of a key.
        var locks: [Int: Int] = [:]
        var failures: Int
        var actors = [Actor(), Actor(), Actor()]
    }

    enum Phase: Hashable, Sendable { case idle, working, locking, writing, committing }

    struct Actor: Hashable, Sendable {
        var phase = Phase.idle
        /// Jobs in hand.
        var jobs: [Int] = []
        /// Gates to lock, in this order.
        var wanted: [Int] = []
        /// What a careless one saw before it had its locks.
        var seen: Seen?
        var writes = Writes()
    }

    struct Seen: Hashable, Sendable {
        var blocked: [Int]
        var running: [Int: Int]
    }

    struct Writes: Hashable, Sendable {
        var ready: Set<Int> = []
        var blocked: [Int] = []
        var unblocked: Set<Int> = []
        var running: [Int: Int] = [:]
    }

    let limit = 1
    var fault: Fault?
    static let admitter = 0

    /// Every world that one step of one actor makes of this one.
    func successors(of world: World) -> [World] {
        var next: [World] = []
        if let key = world.toSend.first {
            var sent = world
            sent.toSend.removeFirst()
            sent.arrived.append(sent.keys.count)
            sent.keys.append(key)
            next.append(sent)
        }
        for index in world.actors.indices { next += self.steps(of: index, in: world) }
        return next
    }

    private func steps(of index: Int, in world: World) -> [World] {
        switch world.actors[index].phase {
        case .idle: index == Self.admitter ? self.beginAdmission(world) : self.claims(index, world)
        case .working: self.endings(index, world)
        case .locking: self.lockings(index, world)
        case .writing: [self.writing(index, world)]
        case .committing: [self.commit(index, world)]
        }
    }

    // MARK: The admitter

    private func beginAdmission(_ world: World) -> [World] {
        guard !world.arrived.isEmpty else { return [] }
        var next = world
        next.actors[Self.admitter].jobs = world.arrived
        next.actors[Self.admitter].wanted = Set(world.arrived.map { world.keys[$0] }).sorted()
        next.actors[Self.admitter].phase = .locking
        if self.fault == .admitsFromOldSnapshot { next.actors[Self.admitter].seen = self.sight(world) }
        return [next]
    }

    private func admission(_ actor: Actor, _ world: World) -> Writes {
        let seen = actor.seen ?? self.sight(world)
        var writes = Writes()
        let limit = self.fault == .offByOne ? self.limit + 1 : self.limit
        for job in actor.jobs {
            let key = world.keys[job]
            let waits = (seen.blocked + writes.blocked).contains { world.keys[$0] == key }
            if !waits, (seen.running[key] ?? 0) + (writes.running[key] ?? 0) < limit {
                writes.ready.insert(job)
                writes.running[key, default: 0] += 1
            } else {
                writes.blocked.append(job)
            }
        }
        return writes
    }

    // MARK: Workers

    private func claims(_ index: Int, _ world: World) -> [World] {
        let ready = world.ready.sorted()
        guard let first = ready.first else { return [] }
        // One, or a batch of two, as they lie there or the other way round.
        let batches = [[first]] + (ready.count > 1 ? [[ready[0], ready[1]], [ready[1], ready[0]]] : [])
        return batches.map { batch in
            var next = world
            next.ready.subtract(batch)
            next.actors[index].jobs = batch
            next.actors[index].phase = .working
            return next
        }
    }

    private func endings(_ index: Int, _ world: World) -> [World] {
        let jobs = world.actors[index].jobs
        var ended = world
        if self.fault == .skipsRelease {
            ended.actors[index].phase = .committing
        } else {
            let keys = jobs.map { world.keys[$0] }
            ended.actors[index].wanted = self.fault == .locksInAnyOrder ? keys : Set(keys).sorted()
            if self.fault == .releasesWithoutLock { ended.actors[index].wanted = [] }
            if self.fault == .releasesFromOldSnapshot { ended.actors[index].seen = self.sight(world) }
            ended.actors[index].phase = .locking
        }
        guard world.failures > 0 else { return [ended] }
        // The first of them fails, and is ready again in its place; the others are given back.
        var failed = world
        failed.failures -= 1
        failed.ready.formUnion(jobs)
        if self.fault == .failureLosesPlace, let first = jobs.first {
            failed.running[world.keys[first], default: 1] -= 1
        }
        failed.actors[index] = Actor()
        return [ended, failed]
    }

    private func release(_ actor: Actor, _ world: World) -> Writes {
        let seen = actor.seen ?? self.sight(world)
        var writes = Writes()
        for key in Set(actor.jobs.map { world.keys[$0] }) {
            let freed = actor.jobs.filter { world.keys[$0] == key }.count
            let others = (seen.running[key] ?? 0) - freed
            let next = seen.blocked.filter { world.keys[$0] == key }.prefix(max(0, self.limit - others))
            writes.unblocked.formUnion(next)
            writes.ready.formUnion(next)
            writes.running[key] = next.count - freed
        }
        return writes
    }

    // MARK: Transactions

    private func sight(_ world: World) -> Seen { Seen(blocked: world.blocked, running: world.running) }

    private func lockings(_ index: Int, _ world: World) -> [World] {
        var next = world
        guard let key = world.actors[index].wanted.first else {
            next.actors[index].phase = .writing
            return [next]
        }
        guard world.locks[key] == nil || world.locks[key] == index else { return [] }
        next.locks[key] = index
        next.actors[index].wanted.removeFirst()
        return [next]
    }

    private func writing(_ index: Int, _ world: World) -> World {
        var next = world
        let actor = world.actors[index]
        next.actors[index].writes =
            index == Self.admitter ? self.admission(actor, world) : self.release(actor, world)
        next.actors[index].phase = .committing
        return next
    }

    private func commit(_ index: Int, _ world: World) -> World {
        var next = world
        let actor = world.actors[index]
        next.ready.formUnion(actor.writes.ready)
        next.blocked = world.blocked.filter { !actor.writes.unblocked.contains($0) } + actor.writes.blocked
        for (key, change) in actor.writes.running { next.running[key, default: 0] += change }
        next.running = next.running.filter { $0.value != 0 }
        if index == Self.admitter {
            next.arrived.removeAll { actor.jobs.contains($0) }
        } else {
            next.done += actor.jobs
        }
        next.locks = world.locks.filter { $0.value != index }
        next.actors[index] = Actor()
        return next
    }
}
