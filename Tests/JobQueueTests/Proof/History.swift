import JobQueueTesting
import TestSupport

/// One operation of a history, with everything that it needs to be repeated.
enum Step: Sendable {
    case send(SentJob)
    case look(Int32, at: Int16, limit: Int)
    case complete(Int32, Claim)
    case fail(Int32, Claim, permanently: Bool)
    case postpone(Int32, Claim)
    case giveBack(Int32, [Claim])
    case batch(Int32, of: Int16, limit: Int, commits: Bool)
    case announce(Int32, of: Int16, [Int64])
    case isolate(Int32, of: Int16, [Int64])
    case promote
    case rescue(Int32)
    case kill(Int32)
    case register
    case leave(Int32)
    case cancel(Int64)
    case redrive(Int16, [Int64])
    case skip(Int16, Int64)
    case advance(hours: Int64)
    case store(StorageStep)
}

/// What an operation says to its caller.
enum Answer: Sendable, Hashable {
    case claims([Claim])
    case ids([Int64])
    case word(String)
    case refused(QueueRefusal)
}

extension Step {
    func perform(on driver: any QueueDriver) async throws -> Answer {
        do {
            return try await self.answer(of: driver)
        } catch let refusal as QueueRefusal {
            return .refused(refusal)
        }
    }

    private func answer(of driver: any QueueDriver) async throws -> Answer {
        switch self {
        case .look(let worker, let queue, let limit):
            return .claims(try await driver.look(worker, at: queue, limit: limit))
        case .batch(let worker, let queue, let limit, let commits):
            return .ids(try await driver.batch(worker, of: queue, limit: limit, commits: commits))
        case .isolate(let worker, let queue, let ids):
            return .ids(try await driver.isolate(worker, of: queue, ids))
        case .fail(let worker, let claim, let permanently):
            return .word("\(try await driver.fail(worker, claim, permanently: permanently))")
        case .cancel(let id): return .word("\(try await driver.cancel(id))")
        case .redrive(let queue, let ids): return .word("\(try await driver.redrive(queue, ids))")
        case .skip(let queue, let id): return .word("\(try await driver.skip(queue, id))")
        case .register: return .word("\(try await driver.register())")
        case .store(let step): return .word(try await driver.store(step))
        case .send(let job): try await driver.send(job)
        case .complete(let worker, let claim): try await driver.complete(worker, claim)
        case .postpone(let worker, let claim): try await driver.postpone(worker, claim, by: .seconds(7200))
        case .giveBack(let worker, let claims): try await driver.giveBack(worker, claims)
        case .announce(let worker, let queue, let ids): try await driver.announce(worker, of: queue, ids)
        case .promote: try await driver.promote()
        case .rescue(let worker): try await driver.rescue(worker)
        case .kill(let worker): try await driver.kill(worker)
        case .leave(let worker): try await driver.leave(worker)
        case .advance(let hours): try await driver.advance(by: .seconds(hours * 3600))
        }
        return .word("done")
    }
}

/// Makes up what two workers, a sender and an operator do next. The same seed makes the same history.
struct History {
    static let policies = [
        QueuePolicy("alpha.first", keyLimit: 1, attemptsMax: 3, lossesMax: 2),
        QueuePolicy("alpha.second", keyLimit: 2, attemptsMax: 2, lossesMax: 3, blocksOnDead: true),
        QueuePolicy("alpha.third", attemptsMax: 3, lossesMax: 2),
    ]

    private var random: SplitMix64
    private let queues: [Int16]
    private let firstID: Int64
    private var sent: Int64 = 0
    private var queueOf: [Int64: Int16] = [:]
    /// Two processes that work, of which one may be dead without knowing.
    private var workers: [Int32]
    private var dead: Int32?
    /// What workers once held: most of it is not theirs any more.
    private var memories: [(worker: Int32, claim: Claim)] = []
    private var batches: [(worker: Int32, queue: Int16, ids: [Int64])] = []

    init(seed: UInt64, firstID: Int64, queues: [Int16], workers: [Int32]) {
        self.random = SplitMix64(seed: seed)
        self.firstID = firstID
        self.queues = queues
        self.workers = workers
    }

    /// Remembers what came of a step.
    mutating func note(_ step: Step, _ answer: Answer) {
        switch (step, answer) {
        case (.look(let worker, _, _), .claims(let claims)):
            self.memories = (self.memories + claims.map { (worker, $0) }).suffix(40)
        case (.batch(let worker, let queue, _, false), .ids(let ids)):
            self.batches = (self.batches + [(worker, queue, ids)]).suffix(4)
        case (.kill(let worker), _), (.leave(let worker), _):
            self.dead = worker
        case (.register, .word(let text)):
            let gone = self.dead ?? 0
            self.dead = nil
            self.workers = self.workers.filter { $0 != gone } + [Int32(text) ?? 0]
        default: break
        }
    }

    mutating func next(_ now: QueueSnapshot) -> Step {
        let worker = self.pick(self.workers) ?? 1
        switch Int.random(in: 0..<100, using: &self.random) {
        case ..<25: return .send(self.job())
        case ..<39: return .look(worker, at: self.pick(self.queues) ?? 1, limit: self.number(1...4))
        case ..<59: return self.ending(now)
        case ..<67: return self.batching(worker)
        case ..<71: return .promote
        case ..<74: return .advance(hours: Int64(self.pick([1, 1, 3, 3, 25]) ?? 1))
        case ..<78: return .rescue(worker)
        case ..<81:
            guard self.dead == nil else { return .register }
            return self.number(0...3) == 0 ? .leave(worker) : .kill(worker)
        case ..<85: return .cancel(self.anyJob())
        case ..<91: return self.undoing(now)
        default: return self.storing()
        }
    }

    private mutating func job() -> SentJob {
        let queue = self.pick(self.queues) ?? 1
        let key = self.number(0...9) == 0 ? nil : "k\(self.number(0...2))"
        let delay: Duration = self.number(0...9) == 0 ? .seconds(7200) : .zero
        defer { self.sent += 1 }
        self.queueOf[self.firstID + self.sent] = queue
        return SentJob(
            self.firstID + self.sent, to: queue, key: key, priority: Int16(self.number(0...4)), delay: delay)
    }

    /// The end of an attempt: mostly of one that runs, sometimes of one that did, or in another's name.
    private mutating func ending(_ now: QueueSnapshot) -> Step {
        let running = now.jobs.filter { $0.value.name == "running" }.sorted { $0.key < $1.key }
        var (worker, claim) = self.pick(self.memories) ?? (1, Claim(self.firstID, attempt: 1))
        if self.number(0...9) > 2, let (id, place) = self.pick(running) {
            (worker, claim) = (place.worker ?? 1, Claim(id, attempt: place.attempt))
        }
        if self.number(0...19) == 0 { worker = self.pick(self.workers) ?? worker }
        switch self.number(0...20) {
        case ..<11: return .complete(worker, claim)
        case ..<16: return .fail(worker, claim, permanently: self.number(0...4) == 0)
        case ..<18: return .postpone(worker, claim)
        default: return .giveBack(worker, [claim] + self.memories.filter { $0.worker == worker }.map(\.claim).suffix(1))
        }
    }

    private mutating func batching(_ worker: Int32) -> Step {
        if self.number(0...1) == 0, let batch = self.pick(self.batches) {
            return self.number(0...1) == 0
                ? .announce(batch.worker, of: batch.queue, batch.ids)
                : .isolate(batch.worker, of: batch.queue, batch.ids)
        }
        return .batch(
            worker, of: self.pick(self.queues) ?? 1, limit: self.number(1...5), commits: self.number(0...2) > 0)
    }

    /// What operators do to the dead, and now and then to the living.
    private mutating func undoing(_ now: QueueSnapshot) -> Step {
        let dead = now.jobs.filter { ["dead", "halted"].contains($0.value.name) }.keys.sorted()
        let id = self.number(0...4) > 0 ? self.pick(dead) ?? self.anyJob() : self.anyJob()
        let queue = self.queueOf[id] ?? 1
        return self.number(0...1) == 0 ? .skip(queue, id) : .redrive(queue, [id, self.anyJob()])
    }

    private mutating func storing() -> Step {
        switch self.number(0...5) {
        case 0, 1: .store(.rotate)
        case 2: .store(.sweep(slot: Int16(self.number(0...7))))
        case 3: .store(.compact(table: self.pick(["gate", "blocked", "lease", "arrival", "deferred"]) ?? "gate"))
        default: .store(.keepFlat(self.pick(["sweep", "sweep", "compact", "tidy"]) ?? "sweep"))
        }
    }

    private mutating func anyJob() -> Int64 {
        self.firstID + Int64.random(in: 0...max(0, self.sent - 1), using: &self.random)
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self.random) }

    private mutating func pick<C: Collection>(_ from: C) -> C.Element? { from.randomElement(using: &self.random) }
}
