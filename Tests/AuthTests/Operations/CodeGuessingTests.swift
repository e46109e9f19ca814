import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct CodeGuessingTests {
    private func guess(_ world: AuthWorld, _ challenge: Challenge.ID, _ answer: String) async throws -> Bool {
        switch try await world.parts.routes.logIn(challenge, answer: answer, device: DeviceName(userAgent: nil)) {
        case .member, .registration: true
        case .refused: false
        }
    }

    private func attempts(_ world: AuthWorld, _ challenge: Challenge.ID) async throws -> Int {
        try await world.owner.one("select attempts from auth.challenge where challenge_id = \(challenge)").decode(
            Int.self)
    }

    /// supabase/auth #2819: no attempts counted per code, and none across addresses.
    @Test func `A22: fifty wrong guesses at once spend three attempts, and the right code comes too late`() async throws
    {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        let wrong = try await world.wrongCode(for: challenge)
        try await world.openConnections()
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { try await self.guess(world, challenge, wrong) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 0)
        #expect(try await self.attempts(world, challenge) == 3)
        #expect(try await self.checks(world) == [3, 3])
        #expect(try await !self.guess(world, challenge, world.code(of: challenge)))
    }

    /// Comparisons made, and how many of them failed.
    private func checks(_ world: AuthWorld) async throws -> [Int] {
        let row = try await world.owner.one("select sum(checks), sum(failures) from auth.code_check")
        let (checks, failures) = try row.decode(Int.self, Int.self)
        return [checks, failures]
    }

    @Test func `A22: of many right answers at once one logs in`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        let right = try await world.code(of: challenge)
        try await world.openConnections()
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 { group.addTask { try await self.guess(world, challenge, right) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 1)
    }

    @Test func `an attempt is counted and committed although nothing comes of it`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        // The comparison cannot happen: the pepper is gone.
        try await world.owner.execute("delete from auth.code_pepper")
        #expect(try await !self.guess(world, challenge, "0000"))
        #expect(try await self.attempts(world, challenge) == 1)
    }

    /// better-auth #11162: asking for a new code gave a new budget of attempts.
    @Test func `A23: a new challenge brings no new budget of failures`() async throws {
        let world = try AuthWorld()
        for round in 0..<4 {
            let challenge = try await world.challenge()
            #expect(try await self.digits(world, challenge) == 4)
            let wrong = try await world.wrongCode(for: challenge)
            for _ in 0..<(round < 3 ? 3 : 1) { #expect(try await !self.guess(world, challenge, wrong)) }
            world.clock.advance(by: .seconds(900))
        }
        let open = try await world.challenge()
        #expect(try await self.digits(world, open) == 6)
        #expect(try await self.guess(world, open, world.code(of: open)))

        world.clock.advance(by: .seconds(3600))
        #expect(try await self.digits(world, world.challenge()) == 6, "24 hours, whoever logged in meanwhile")
        world.clock.advance(by: .seconds(86_400))
        #expect(try await self.digits(world, world.challenge()) == 4)
    }

    private func digits(_ world: AuthWorld, _ challenge: Challenge.ID) async throws -> Int {
        try await world.owner.one("select digits from auth.challenge where challenge_id = \(challenge)").decode(
            Int.self)
    }

    @Test func `A23: codes that are open when the tenth failure happens are refused, even the right one`() async throws
    {
        let world = try AuthWorld()
        var open: [Challenge.ID] = []
        for _ in 0..<5 { open.append(try await world.challenge()) }
        for challenge in open[..<3] {
            let wrong = try await world.wrongCode(for: challenge)
            for _ in 0..<3 { #expect(try await !self.guess(world, challenge, wrong)) }
        }
        #expect(try await !self.guess(world, open[3], world.wrongCode(for: open[3])))
        #expect(try await !self.guess(world, open[4], world.code(of: open[4])))
    }

    @Test func `a right code ends the row of failures, a tenth right check restricts nobody`() async throws {
        let world = try AuthWorld()
        for _ in 0..<3 {
            let challenge = try await world.challenge()
            let wrong = try await world.wrongCode(for: challenge)
            for _ in 0..<3 { #expect(try await !self.guess(world, challenge, wrong)) }
        }
        let challenge = try await world.challenge()
        #expect(try await self.guess(world, challenge, world.code(of: challenge)))
        let row = try await world.owner.one(
            "select failures, restricted_until from auth.throttle where scope = 'phone'")
        let (failures, until) = try row.decode(Int.self, Timestamp?.self)
        #expect(failures == 0)
        #expect(until == nil)
    }

    @Test func `a failure rate of five times its baseline gives everybody six digits`() async throws {
        let world = try AuthWorld()
        try await world.owner.execute(
            """
            insert into auth.code_check (bucket, checks, failures)
            values (\(world.clock.now - .seconds(86_400)), 1000, 50), (\(world.clock.now - .seconds(60)), 100, 24)
            """)
        #expect(try await self.digits(world, world.challenge("+79160000001")) == 4)
        try await world.owner.execute("update auth.code_check set failures = 25 where checks = 100")
        #expect(try await self.digits(world, world.challenge("+79160000002")) == 6)
    }
}
