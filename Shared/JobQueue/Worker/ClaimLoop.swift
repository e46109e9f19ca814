internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres

/// The one loop of a process that looks into the queues, for all of them at once, and starts what it finds.
/// ``WorkerState`` decides; this performs.
final class ClaimLoop: Sendable {
    /// After a claim that failed.
    static let outagePause = Duration.milliseconds(200)

    private let bus: Bus
    private let runner: JobRunner
    private let plans: [Int16: WorkerState.Plan]
    private let state: NIOLockedValueBox<WorkerState>
    /// How long running handlers may go on after the order to stop.
    private let patience: Duration

    init(bus: Bus, runner: JobRunner, plans: [WorkerState.Plan], patience: Duration) {
        self.bus = bus
        self.runner = runner
        self.plans = Dictionary(uniqueKeysWithValues: plans.map { ($0.number, $0) })
        self.state = NIOLockedValueBox(WorkerState(plans))
        self.patience = patience
    }

    /// No more is claimed; ``run()`` returns when the handlers have ended.
    func stop() {
        self.state.withLockedValue { $0.stop() }
        self.bus.work.ring(.change)
    }

    /// Until it was told to stop and all handlers have ended, or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var worker: Int32?
            while !Task.isCancelled, !self.state.withLockedValue({ $0.isStopping }) {
                guard let joined = self.bus.membership.joined else {
                    _ = await self.bus.work.wait(upTo: nil, isIdle: false)
                    // What has woken us may have been a bell, and the session under which we slept is gone.
                    self.state.withLockedValue { $0.heard(isBell: true) }
                    continue
                }
                if joined.worker != worker {
                    // Declared dead meanwhile: what was claimed under the old number is with others.
                    if worker != nil { _ = self.state.withLockedValue { $0.dropWaiting() } }
                    worker = joined.worker
                }
                await self.step(joined)
                for start in self.state.withLockedValue({ $0.starts() }) {
                    group.addTask { await self.run(start) }
                }
            }
            await self.giveBackWaiting()
            await self.drain()
            group.cancelAll()
        }
    }

    private func step(_ joined: Membership.Joined) async {
        let canHear = self.bus.listener.isConnected
        let jitter = Double.random(in: 0...1)
        switch self.state.withLockedValue({ $0.step(canHear: canHear, jitter: jitter) }) {
        case .claim(let requests):
            await self.claim(requests, joined)
        case .announce:
            // Whoever cannot hear needs not be rung for.
            guard self.bus.listening == .bells else { return self.state.withLockedValue { $0.announced() } }
            await self.attempt {
                try await self.bus.database.execute(LifeStatements.sleep(joined.worker))
                self.state.withLockedValue { $0.announced() }
            }
        case .wait(let limit, let isIdle):
            let reasons = await self.bus.work.wait(upTo: limit, isIdle: isIdle)
            self.state.withLockedValue { state in
                if reasons.isEmpty { return state.timedOut() }
                guard reasons != .change else { return }
                state.heard(isBell: reasons.contains(.bell))
            }
        }
    }

    private func claim(_ requests: [ClaimRequest], _ joined: Membership.Joined) async {
        let statements = RunStatements(worker: joined.worker)
        await self.attempt {
            if self.state.withLockedValue({ $0.mustDisown }) {
                let known = self.state.withLockedValue { $0.known }
                try await self.bus.database.execute(statements.disown(allBut: known))
                self.state.withLockedValue { $0.disowned() }
            }
            let asked = ContinuousClock.now
            let result = try await self.bus.database.withConnection { connection in
                try await statements.claim(requests, on: connection)
            }
            let took = ContinuousClock.now - asked
            self.bus.metrics.polls.increment()
            let assignments = result.jobs.map { job in
                let lease = self.plans[job.queue]?.lease ?? .zero
                return Assignment(job: job, worker: joined.worker, expires: asked.advanced(by: lease))
            }
            let full = self.state.withLockedValue {
                $0.claimed(requests, assignments, result.waiting, resting: result.resting, took: took)
            }
            // There may be more than we can take, and we may have been poked instead of the others being rung for.
            if !full.isEmpty { self.bus.doorbell.ringAway(queues: full) }
        }
    }

    /// A look that fails says nothing; soon there is another.
    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            guard !Task.isCancelled else { return }
            self.state.withLockedValue { $0.lostAnswer() }
            self.bus.logger.debug("Could not look for jobs", metadata: ["error": "\(Failure(error).code)"])
            _ = await self.bus.work.wait(upTo: Self.outagePause, isIdle: false)
        }
    }

    // MARK: Tasks

    private func run(_ start: WorkerState.Start) async {
        switch start {
        case .slot(let queue) where self.plans[queue]?.leasesBatches == true:
            await self.runLeasedBatches(of: queue)
        case .slot(let queue):
            while let assignment = self.state.withLockedValue({ $0.nextJob(of: queue) }) {
                await self.run(assignment, of: queue)
            }
        case .runner(let queue, let number):
            await self.runBatches(of: queue, number)
        }
        self.bus.work.ring(.change)
    }

    private func run(_ assignment: Assignment, of queue: Int16) async {
        await self.runner.run(assignment)
        let wantsMore = self.state.withLockedValue { state in
            state.settled(assignment.job.id)
            return state.wantsMore(of: queue)
        }
        if self.plans[queue]?.isCounted == true { self.madeRoom(in: queue) }
        if wantsMore { self.bus.work.ring(.change) }
    }

    /// One job less runs of a queue that limits them, so another one may, here or elsewhere.
    private func madeRoom(in queue: Int16) {
        self.state.withLockedValue { $0.makeDirty(queue) }
        self.bus.work.ring(.change)
        self.bus.doorbell.ringAway(queues: [queue])
    }

    private func runLeasedBatches(of queue: Int16) async {
        guard let plan = self.plans[queue] else { return }
        let runner = LeasedBatchRunner(runner: self.runner, queue: plan.name, lease: plan.lease)
        while true {
            let batch = self.state.withLockedValue { $0.nextBatch(of: queue) }
            guard !batch.isEmpty else { return }
            let alone = await runner.run(batch)
            let left = Set(alone.map(\.job.id))
            let wantsMore = self.state.withLockedValue { state in
                for assignment in batch where !left.contains(assignment.job.id) { state.settled(assignment.job.id) }
                return state.wantsMore(of: queue)
            }
            for assignment in alone { await self.run(assignment, of: queue) }
            if plan.isCounted { self.madeRoom(in: queue) }
            if wantsMore { self.bus.work.ring(.change) }
        }
    }

    private func runBatches(of queue: Int16, _ number: Int16) async {
        guard let plan = self.plans[queue] else { return }
        let batches = BatchRunner(runner: self.runner, queue: plan.name, plan: plan, number: number)
        var floor = ScanFloor()
        while true {
            var outcome = BatchRunner.Outcome()
            let begun = ContinuousClock.now
            let start = floor.current(at: begun)
            if let joined = self.bus.membership.joined { outcome = await batches.runOne(joined, from: start) }
            if outcome.count >= plan.batchLimit, let last = outcome.last {
                floor.advance(behind: last, after: outcome.searched, at: .now)
            } else {
                floor.reset()
                // Behind a floor there may be none, and before it some.
                if start != nil, !outcome.isInterrupted, outcome.isolated.isEmpty, outcome.count == 0 { continue }
            }
            self.state.withLockedValue { $0.isolated(outcome.isolated.map(\.job.id)) }
            for assignment in outcome.isolated { await self.run(assignment, of: queue) }
            if plan.gather > .zero, outcome.count > 0, outcome.count < plan.batchLimit {
                // Whatever rings meanwhile makes this runner take once more.
                try? await ContinuousClock().sleep(until: begun.advanced(by: plan.gather))
            }
            let goesOn = self.state.withLockedValue { $0.runner(number, of: queue, took: outcome.count) }
            if outcome.isInterrupted {
                try? await ContinuousClock().sleep(for: Self.outagePause)
                self.bus.work.ring(.neighbour)
            }
            guard goesOn else { return }
            if self.state.withLockedValue({ $0.wantsRunner(of: queue) }) { self.bus.work.ring(.change) }
        }
    }

    /// What was claimed and not begun goes to others now, not when the last handler has ended.
    private func giveBackWaiting() async {
        let waiting = self.state.withLockedValue { $0.dropWaiting() }
        guard let first = waiting.first else { return }
        let back = RunStatements(worker: first.worker).giveBack(waiting.map(\.job))
        guard let row = await self.runner.settle(first, back)?.first else { return }
        if let queues = try? row.value(at: 0, as: [Int16].self) { self.bus.doorbell.ringAway(queues: queues) }
    }

    private func drain() async {
        let end = ContinuousClock.now.advanced(by: self.patience)
        while self.state.withLockedValue({ $0.hasTasks }), !Task.isCancelled {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { break }
            _ = await self.bus.work.wait(upTo: left, isIdle: false)
        }
    }
}
