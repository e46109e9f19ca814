import JobQueue
import JobQueueTesting
import TestSupport
import Testing

/// The same for batches and for the death of workers.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct LifeConformanceTests {
    static let kinds = DriverKind.allCases

    private func on(
        _ kind: DriverKind, keyLimit: Int? = nil, attemptsMax: Int = 3, lossesMax: Int = 3,
        _ body: (Stage) async throws -> Void
    ) async throws {
        let policy = QueuePolicy("alpha.proof", keyLimit: keyLimit, attemptsMax: attemptsMax, lossesMax: lossesMax)
        try await kind.lend { driver in
            try await body(try await Stage(driver, policy))
            #expect(try await driver.violations() == [])
        }
    }

    private func batch(_ stage: Stage, _ limit: Int = 9, commits: Bool = true) async throws -> [Int] {
        try await stage.driver.batch(stage.workers[0], of: stage.queue, limit: limit, commits: commits)
            .map { Int($0 - stage.id(0)) }
    }

    @Test(arguments: Self.kinds)
    func `a batch completes whole or not at all`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            for number in 0...4 { try await stage.send(number) }
            #expect(try await self.batch(stage, 3, commits: false) == [0, 1, 2])
            #expect(try await stage.place(0) == "ready 0")
            #expect(try await self.batch(stage, 3) == [0, 1, 2])
            #expect(try await stage.places(0...3) == ["completed 1", "completed 1", "completed 1", "ready 0"])
        }
    }

    @Test(arguments: Self.kinds)
    func `a batch holds one job of a key, and hands the key on`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...3 { try await stage.send(number, key: number % 2 == 0 ? "a" : "b") }
            #expect(try await self.batch(stage) == [0, 1])
            #expect(try await self.batch(stage) == [2, 3])
            #expect(try await self.batch(stage) == [])
            #expect(try await stage.driver.snapshot().gates == [:])
        }
    }

    @Test(arguments: Self.kinds)
    func `a batch takes first attempts only; what failed in one runs alone`(_ kind: DriverKind) async throws {
        try await self.on(kind) { stage in
            for number in 0...2 { try await stage.send(number) }
            #expect(try await self.batch(stage, commits: false) == [0, 1, 2])
            let ids = [stage.id(0), stage.id(1)]
            #expect(try await stage.driver.isolate(stage.workers[0], of: stage.queue, ids) == ids)
            #expect(try await stage.driver.isolate(stage.workers[1], of: stage.queue, ids) == [])
            try await stage.complete(0)
            #expect(try await stage.fail(1) == .retry)
            try await stage.wait(hours: 2)
            #expect(try await self.batch(stage) == [2])
            #expect(try await stage.look() == [stage.claim(1, attempt: 2)])
        }
    }

    @Test(arguments: Self.kinds)
    func `the jobs of a dead worker run elsewhere, in their order`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...1 { try await stage.send(number, key: "a") }
            try await stage.look()
            try await stage.driver.rescue(stage.workers[1])
            #expect(try await stage.numbers(by: 1) == [])
            try await stage.driver.kill(stage.workers[0])
            try await stage.driver.rescue(stage.workers[1])
            #expect(try await stage.look(by: 1) == [stage.claim(0, attempt: 2)])
            try await stage.complete(0, attempt: 2, by: 1)
            #expect(try await stage.numbers(by: 1) == [1])
        }
    }

    @Test(arguments: Self.kinds)
    func `a job that takes down too many workers is dead`(_ kind: DriverKind) async throws {
        try await self.on(kind, attemptsMax: 9, lossesMax: 2) { stage in
            try await stage.send(0)
            for attempt in 1...2 as ClosedRange<Int16> {
                let victim = try await stage.driver.register()
                let claims = try await stage.driver.look(victim, at: stage.queue, limit: 1)
                #expect(claims == [stage.claim(0, attempt: attempt)])
                try await stage.driver.kill(victim)
                try await stage.driver.rescue(stage.workers[0])
            }
            #expect(try await stage.place(0) == "dead 2")
            #expect(try await stage.driver.redrive(stage.queue, [stage.id(0)]) == 1)
            #expect(try await stage.look() == [stage.claim(0, attempt: 3)])
        }
    }

    @Test(arguments: Self.kinds)
    func `what a batch held when its worker died counts as lost`(_ kind: DriverKind) async throws {
        try await self.on(kind, lossesMax: 1) { stage in
            for number in 0...1 { try await stage.send(number) }
            let held = try await self.batch(stage, 1, commits: false)
            #expect(held == [0])
            try await stage.driver.announce(stage.workers[0], of: stage.queue, [stage.id(0)])
            try await stage.driver.kill(stage.workers[0])
            try await stage.driver.rescue(stage.workers[1])
            #expect(try await stage.places(0...1) == ["dead 1", "ready 0"])
        }
    }

    @Test(arguments: Self.kinds)
    func `an expired claim is an attempt, but takes no worker down`(_ kind: DriverKind) async throws {
        try await self.on(kind, attemptsMax: 2, lossesMax: 1) { stage in
            try await stage.send(0)
            try await stage.look()
            try await stage.driver.advance(by: .seconds(25 * 3600))
            try await stage.driver.rescue(stage.workers[1])
            await #expect(throws: QueueRefusal.claimLost) { try await stage.complete(0) }
            #expect(try await stage.look(by: 1) == [stage.claim(0, attempt: 2)])
            try await stage.driver.advance(by: .seconds(25 * 3600))
            try await stage.driver.rescue(stage.workers[1])
            #expect(try await stage.place(0) == "dead 2")
        }
    }

    @Test(arguments: Self.kinds)
    func `who leaves gives back what it has, without counting the attempt`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0...1 { try await stage.send(number, key: "a") }
            try await stage.look()
            try await stage.driver.leave(stage.workers[0])
            await #expect(throws: QueueRefusal.workerUnknown) { try await stage.driver.leave(stage.workers[0]) }
            #expect(try await stage.look(by: 1) == [stage.claim(0)])
        }
    }

    /// A history like any other, to its end: nothing is left over.
    @Test(arguments: Self.kinds)
    func `every job comes to an end`(_ kind: DriverKind) async throws {
        try await self.on(kind, keyLimit: 1) { stage in
            for number in 0..<12 { try await stage.send(number, key: "\(number % 3)") }
            var rounds = 0
            var claims = try await stage.look()
            while !claims.isEmpty {
                for claim in claims {
                    if claim.id % 2 == 0, claim.attempt == 1 {
                        _ = try await stage.driver.fail(stage.workers[0], claim, permanently: false)
                    } else {
                        try await stage.driver.complete(stage.workers[0], claim)
                    }
                }
                try await stage.wait(hours: 2)
                claims = try await stage.look()
                rounds += 1
            }
            #expect(rounds > 3)
            let places = try await stage.driver.snapshot().jobs.values.map(\.name)
            #expect(places == Array(repeating: "completed", count: 12))
        }
    }
}
