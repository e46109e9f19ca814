import Testing

@testable import JobQueue

@Suite struct SleepProtocolTests {
    @Test func `the first rest is announced, and the look after it decides`() {
        var sleep = SleepProtocol()
        #expect(sleep.step(canHear: true, jitter: 0.5) == .announce)
        sleep.announced()
        #expect(sleep.step(canHear: true, jitter: 0.5) == .wait(upTo: SleepProtocol.shortestPoll))
    }

    @Test func `an announcement stands until a bell takes it away`() {
        var sleep = SleepProtocol()
        sleep.announced()
        sleep.foundWork()
        sleep.timedOut()
        #expect(sleep.isAnnounced)
        sleep.heardBell()
        #expect(sleep.step(canHear: true, jitter: 0.5) == .announce)
    }

    @Test func `polls grow to five seconds, fall back when there is traffic, and then come within a second`() {
        var sleep = SleepProtocol()
        sleep.announced()
        sleep.timedOut()
        #expect(sleep.poll == SleepProtocol.shortestPoll * 2)
        for _ in 0..<5 { sleep.timedOut() }
        #expect(sleep.poll == .seconds(5))
        sleep.foundWork()
        #expect(sleep.poll == SleepProtocol.shortestPoll)
        guard case .wait(let limit) = sleep.step(canHear: true, jitter: 1) else {
            Issue.record("the announcement is gone")
            return
        }
        #expect(limit < .seconds(1))
    }

    @Test func `who cannot hear polls often`() {
        var sleep = SleepProtocol()
        sleep.announced()
        for _ in 0..<5 { sleep.timedOut() }
        #expect(sleep.step(canHear: false, jitter: 0.5) == .wait(upTo: .milliseconds(250)))
    }

    /// Every order of the steps of one worker and of senders: nowhere does the worker wait beside a job that nobody will
    /// ring for.
    @Test(arguments: [1, 2, 3]) func `no order of steps loses a wake-up`(senders: Int) {
        var explorer = Explorer(fault: nil)
        explorer.explore(Explorer.World(senders: senders))
        #expect(explorer.lost == 0)
        #expect(explorer.rested > 0)
    }

    @Test(arguments: SleepFault.allCases)
    fileprivate func `the explorer finds the wake-up that each fault loses`(_ fault: SleepFault) {
        var explorer = Explorer(fault: fault)
        explorer.explore(Explorer.World(senders: 1))
        #expect(explorer.lost > 0)
    }
}

/// What is wrong on purpose.
private enum SleepFault: CaseIterable {
    /// The worker waits right after announcing, without the second look.
    case noSecondLook
    /// The sender commits and does not ring.
    case bellSkipped
    /// The sender looks for sleepers before its commit, as a bell within its transaction would.
    case bellBeforeCommit
}

/// Walks through all interleavings of the committed steps of the protocol.
private struct Explorer {
    struct World: Hashable {
        enum Worker: Hashable { case looking, announcing, waiting }
        enum Sender: Hashable { case toCommit, toRing, done }
        var worker = Worker.looking
        var isAnnounced = false
        /// In the database.
        var jobs = 0
        var sleeperRow = false
        /// Under way to the worker.
        var bells = 0
        var senders: [Sender]

        init(senders: Int) {
            self.senders = Array(repeating: .toCommit, count: senders)
        }
    }

    let fault: SleepFault?
    private(set) var lost = 0
    private(set) var rested = 0
    private var seen: Set<World> = []

    init(fault: SleepFault?) {
        self.fault = fault
    }

    mutating func explore(_ world: World) {
        guard self.seen.insert(world).inserted else { return }
        if world.worker == .waiting, world.bells == 0, !world.senders.contains(where: { $0 != .done }) {
            self.rested += 1
            if world.jobs > 0 { self.lost += 1 }
        }
        self.explore(self.workerSteps(world))
        for index in world.senders.indices { self.explore(self.senderSteps(world, index)) }
    }

    private mutating func explore(_ next: World?) {
        if let next { self.explore(next) }
    }

    private func workerSteps(_ world: World) -> World? {
        var next = world
        var sleep = SleepProtocol()
        if world.isAnnounced { sleep.announced() }
        switch world.worker {
        case .looking:
            guard world.jobs == 0 else {
                next.jobs = 0
                return next
            }
            next.worker = sleep.step(canHear: true, jitter: 0) == .announce ? .announcing : .waiting
        case .announcing:
            next.sleeperRow = true
            next.isAnnounced = true
            next.worker = self.fault == .noSecondLook ? .waiting : .looking
        case .waiting:
            guard world.bells > 0 else { return nil }
            next.bells = 0
            sleep.heardBell()
            next.isAnnounced = sleep.isAnnounced
            next.worker = .looking
        }
        return next
    }

    private func senderSteps(_ world: World, _ index: Int) -> World? {
        var next = world
        let isEarly = self.fault == .bellBeforeCommit
        switch world.senders[index] {
        case .toCommit:
            if isEarly { self.ring(&next) } else { next.jobs += 1 }
            next.senders[index] = .toRing
        case .toRing:
            if isEarly { next.jobs += 1 } else { self.ring(&next) }
            next.senders[index] = .done
        case .done:
            return nil
        }
        return next
    }

    /// The bell takes the sleeper's row and rings for it.
    private func ring(_ world: inout World) {
        guard world.sleeperRow, self.fault != .bellSkipped else { return }
        world.sleeperRow = false
        world.bells += 1
    }
}
