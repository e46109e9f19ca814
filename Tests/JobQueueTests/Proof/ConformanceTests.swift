import JobQueue
import JobQueueTesting
import TestSupport
import Testing

/// Every guarantee, asked of the bus in memory and of the real one alike: they answer the same.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct ConformanceTests {
    static let kinds = DriverKind.allCases

    /// Runs on a fresh bus, and looks afterwards whether every invariant holds.
    private func on(
        _ kind: DriverKind, keyLimit: Int? = nil, attemptsMax: Int = 3, lossesMax: Int = 3, blocksOnDead: Bool = false,
        _ body: (Stage) async throws -> Void
    ) async throws {
        let policy = QueuePolicy(
            "alpha.proof", keyLimit: keyLimit, attemptsMax: attemptsMax, lossesMax: lossesMax,
            blocksOnDead: blocksOnDead)
        try await kind.lend { driver in
            try await body(try await Stage(driver, policy))
            #expect(try await driver.violations() == [])
        }
    }

    // MARK: Claims

    @Test(arguments: Self.kinds)
    func `jobs are claimed by priority, then in the order of sending, and never twice`(_ kind: DriverKind) async throws
    {
        try await self.on(kind) { stage in
            for (number, priority) in [(0, 2), (1, 4), (2, 0), (3, 2), (4, 1)] as [(Int, Int16)] {
                try await stage.send(number, priority: priority)
            }
            #expect(try await stage.numbers(3) == [2, 4, 0])
            #expect(try await stage.numbers(by: 1) == [3, 1])
            #expect(try await stage.numbers() == [])
        }
    }

    @Test(arguments: Self.kinds)
    func `a delayed job waits for its time`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            try await stage.send(0, delay: .seconds(7200))
            try await stage.wait(hours: 1)
            #expect(try await stage.place(0) == "deferred 0")
            #expect(try await stage.numbers() == [])
            try await stage.wait(hours: 2)
            #expect(try await stage.numbers() == [0])
        }
    }

    @Test(arguments: Self.kinds)
    func `of a paused queue nothing is claimed`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            try await stage.send(0)
            try await stage.driver.pause(stage.queue)
            #expect(try await stage.numbers() == [])
            #expect(try await stage.driver.batch(stage.workers[0], of: stage.queue, limit: 9, commits: true) == [])
            try await stage.driver.resume(stage.queue)
            #expect(try await stage.numbers() == [0])
        }
    }

    @Test(arguments: Self.kinds)
    func `slots of the ring are claimed from in the order in which they were opened`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            try await stage.send(0)
            #expect(try await stage.driver.store(.rotate) == "1")
            try await stage.send(1, priority: 0)
            #expect(try await stage.driver.store(.sweep(slot: 1)) == "current")
            #expect(try await stage.driver.store(.sweep(slot: 0)) == "not empty")
            #expect(try await stage.numbers() == [0, 1])
            #expect(try await stage.driver.store(.sweep(slot: 0)) == "truncated")
            #expect(try await stage.driver.store(.compact(table: "lease")) == "kept")
            try await stage.complete(0)
            try await stage.complete(1)
            #expect(try await stage.places(0...1) == ["completed 1", "completed 1"])
        }
    }

    // MARK: The fence

    @Test(arguments: Self.kinds)
    func `only who holds the claim can end the job, and once`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            try await stage.send(0)
            try await stage.look()
            await #expect(throws: QueueRefusal.claimLost) { try await stage.complete(0, by: 1) }
            await #expect(throws: QueueRefusal.claimLost) { try await stage.complete(0, attempt: 2) }
            await #expect(throws: QueueRefusal.claimLost) { try await stage.fail(0, by: 1) }
            try await stage.complete(0)
            await #expect(throws: QueueRefusal.claimLost) { try await stage.complete(0) }
            await #expect(throws: QueueRefusal.claimLost) { try await stage.fail(0) }
            #expect(try await stage.place(0) == "completed 1")
        }
    }

    @Test(arguments: Self.kinds)
    func `who was taken for dead cannot complete, nor can nobody`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            try await stage.send(0)
            try await stage.look()
            try await stage.driver.kill(stage.workers[0])
            try await stage.driver.rescue(stage.workers[1])
            #expect(try await stage.numbers(by: 1) == [0])
            await #expect(throws: QueueRefusal.claimLost) { try await stage.complete(0) }
            try await stage.driver.rescue(stage.workers[1])
            await #expect(throws: QueueRefusal.workerUnknown) { try await stage.complete(0) }
            await #expect(throws: QueueRefusal.workerUnknown) { try await stage.look() }
            try await stage.complete(0, attempt: 2, by: 1)
        }
    }

    // MARK: Keys

    @Test(arguments: Self.kinds)
    func `jobs of a key run one at a time in their order, and others pass`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...2 { try await stage.send(number, key: "a") }
            try await stage.send(3, key: "b")
            try await stage.send(4)
            #expect(try await stage.numbers() == [0, 3, 4])
            #expect(try await stage.numbers(by: 1) == [])
            #expect(try await stage.places(1...2) == ["blocked 0", "blocked 0"])
            try await stage.complete(0)
            #expect(try await stage.numbers(by: 1) == [1])
            try await stage.complete(1, by: 1)
            #expect(try await stage.numbers() == [2])
            #expect(try await stage.driver.snapshot().gates == ["\(stage.queue)/a": 1, "\(stage.queue)/b": 1])
            for number in 2...4 { try await stage.complete(number) }
            #expect(try await stage.driver.snapshot().gates == [:])
        }
    }

    @Test(arguments: Self.kinds)
    func `a limit of two lets two of a key run, in the order of sending`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 2) { stage in
            for number in 0...4 { try await stage.send(number, key: "a", priority: Int16(4 - number)) }
            // Of the two that have a place the more urgent one comes first.
            #expect(try await stage.numbers() == [1, 0])
            try await stage.complete(1)
            #expect(try await stage.numbers() == [2])
            try await stage.complete(0)
            try await stage.complete(2)
            #expect(try await stage.numbers() == [4, 3])
        }
    }

    @Test(arguments: Self.kinds)
    func `a retry, a postponed job and one that was given back keep the place of their key`(
        _ kind: DriverKind
    ) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            try await stage.send(0, key: "a")
            try await stage.send(1, key: "a")
            try await stage.look()
            #expect(try await stage.fail(0) == .retry)
            #expect(try await stage.numbers() == [])
            try await stage.wait(hours: 2)
            #expect(try await stage.look() == [stage.claim(0, attempt: 2)])
            try await stage.driver.postpone(stage.workers[0], stage.claim(0, attempt: 2), by: .seconds(3600))
            #expect(try await stage.numbers() == [])
            try await stage.wait(hours: 2)
            #expect(try await stage.look() == [stage.claim(0, attempt: 2)])
            try await stage.driver.giveBack(stage.workers[0], [stage.claim(0, attempt: 2), stage.claim(1)])
            #expect(try await stage.look(by: 1) == [stage.claim(0, attempt: 2)])
            try await stage.complete(0, attempt: 2, by: 1)
            #expect(try await stage.numbers() == [1])
        }
    }

    // MARK: Ends

    @Test(arguments: Self.kinds)
    func `the last attempt is final, and a permanent failure is at once`(_ kind: DriverKind) async throws {
        try await self.on(kind, attemptsMax: 2) { stage in
            try await stage.send(0)
            try await stage.send(1)
            try await stage.look()
            #expect(try await stage.fail(0) == .retry)
            #expect(try await stage.fail(1, permanently: true) == .dead)
            try await stage.wait(hours: 2)
            try await stage.look()
            #expect(try await stage.fail(0, attempt: 2) == .dead)
            #expect(try await stage.places(0...1) == ["dead 2", "dead 1"])
        }
    }

    @Test(arguments: Self.kinds)
    func `a dead job hands its key on; redriven it stands behind, with all attempts anew`(
        _ kind: DriverKind
    ) async throws {
        try await self.on(kind, keyLimit: 1, attemptsMax: 1) { stage in
            for number in 0...1 { try await stage.send(number, key: "a") }
            try await stage.look()
            #expect(try await stage.fail(0) == .dead)
            #expect(try await stage.driver.redrive(stage.queue, [stage.id(0), stage.id(1)]) == 1)
            #expect(try await stage.driver.redrive(stage.queue, [stage.id(0)]) == 0)
            #expect(try await stage.numbers() == [1])
            #expect(try await stage.place(0) == "blocked 1")
            try await stage.complete(1)
            #expect(try await stage.look() == [stage.claim(0, attempt: 2)])
            #expect(try await stage.fail(0, attempt: 2) == .dead)
            #expect(try await stage.driver.skip(stage.queue, stage.id(0)) == false)
        }
    }

    @Test(arguments: Self.kinds)
    func `a key can stop at a dead job until a person skips or redrives it`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1, attemptsMax: 1, blocksOnDead: true) { stage in
            for number in 0...2 { try await stage.send(number, key: "a") }
            try await stage.look()
            #expect(try await stage.fail(0) == .dead)
            #expect(try await stage.numbers() == [])
            #expect(try await stage.places(0...1) == ["halted 1", "blocked 0"])
            #expect(try await stage.driver.redrive(stage.queue, [stage.id(0)]) == 1)
            #expect(try await stage.look() == [stage.claim(0, attempt: 2)])
            #expect(try await stage.fail(0, attempt: 2) == .dead)
            #expect(try await stage.driver.skip(stage.queue, stage.id(0)))
            #expect(try await stage.driver.skip(stage.queue, stage.id(0)) == false)
            #expect(try await stage.numbers() == [1])
            #expect(try await stage.places(0...2) == ["dead 2", "running 1 by \(stage.workers[0])", "blocked 0"])
        }
    }

    @Test(arguments: Self.kinds)
    func `what waits is cancelled at once, wherever it waits`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            try await stage.send(0, key: "a")
            try await stage.send(1, key: "a")
            try await stage.send(2, key: "b", delay: .seconds(3600))
            try await stage.look(1)
            try await stage.send(3, key: "b")
            try await stage.send(4)
            for number in 1...4 { #expect(try await stage.driver.cancel(stage.id(number)) == .cancelled) }
            #expect(try await stage.places(1...4) == Array(repeating: "cancelled 0", count: 4))
            try await stage.complete(0)
            #expect(try await stage.numbers() == [])
            for number in [0, 1, 9] { #expect(try await stage.driver.cancel(stage.id(number)) == .outOfReach) }
        }
    }

    @Test(arguments: Self.kinds)
    func `what is ready is cancelled with the place of its key`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...1 { try await stage.send(number, key: "a") }
            try await stage.send(2, priority: 0)
            try await stage.look(1)
            #expect(try await stage.place(0) == "ready 0")
            #expect(try await stage.driver.cancel(stage.id(0)) == .cancelled)
            #expect(try await stage.numbers() == [1])
        }
    }

    @Test(arguments: Self.kinds)
    func `what runs is asked to stop, and ends as cancelled unless it completes`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...5 { try await stage.send(number, key: "\(number)") }
            try await stage.look()
            for number in 0...4 { #expect(try await stage.driver.cancel(stage.id(number)) == .asked) }
            #expect(try await stage.driver.cancel(stage.id(0)) == .asked)
            try await stage.complete(0)
            #expect(try await stage.driver.cancel(stage.id(0)) == .outOfReach)
            #expect(try await stage.fail(1) == .cancelled)
            try await stage.driver.postpone(stage.workers[0], stage.claim(2), by: .seconds(3600))
            try await stage.driver.giveBack(stage.workers[0], [stage.claim(3)])
            // Job 4 does not listen: after a while its claim is taken away. Job 5 was not asked.
            try await stage.driver.advance(by: .seconds(3600))
            try await stage.driver.rescue(stage.workers[1])
            #expect(
                try await stage.places(0...5) == ["completed 1"] + Array(repeating: "cancelled 1", count: 4)
                    + ["running 1 by \(stage.workers[0])"])
        }
    }
}
