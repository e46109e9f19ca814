import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct StepUpTests {
    private static let subject = StepUpSubject(action: .exchange, amount: 5000, unit: .points, target: "S7 Airlines")

    private func send(
        _ world: AuthWorld, _ id: StepUp.ID, of member: Member.ID, _ subject: StepUpSubject = subject
    ) async throws -> Result<RequestChallenge.Issued, StepUpRefusal> {
        try await world.database.transaction { transaction in
            try await world.parts.members.sendStepUp(id, of: member, subject, in: transaction)
        }
    }

    private func confirm(
        _ world: AuthWorld, _ id: StepUp.ID, of member: Member.ID, _ code: String, _ subject: StepUpSubject = subject
    ) async throws -> StepUpRefusal? {
        try await world.database.transaction { transaction in
            try await world.parts.members.checkStepUp.answer(
                ConfirmStepUp(id: id, member: member, subject: subject, code: code), in: transaction)
        }
    }

    private func attempts(_ world: AuthWorld, _ id: StepUp.ID) async throws -> Int {
        try await world.owner.one("select attempts from auth.challenge where challenge_id = \(id)").decode(Int.self)
    }

    private func id() -> StepUp.ID { StepUp.ID(UUID()) }

    @Test func `a right code confirms, and stays right for the same subject when its request is repeated`() async throws
    {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        let issued = try await self.send(world, id, of: member).get()
        #expect(issued.expiresAt == world.clock.now + .seconds(300))
        let code = try await world.code(of: id)
        #expect(try await self.confirm(world, id, of: member, code) == nil)
        world.clock.advance(by: .seconds(3600))
        #expect(try await self.confirm(world, id, of: member, code) == nil)
        #expect(try await self.confirm(world, id, of: member, world.wrongCode(of: id)) == .codeRefused)
    }

    @Test func `asking again with the same id gives the same answer and no second message`() async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        let first = try await self.send(world, id, of: member).get()
        let before = try await world.waiting(SendCode.name)
        world.clock.advance(by: .seconds(20))
        let second = try await self.send(world, id, of: member).get()
        #expect(first.expiresAt == second.expiresAt && first.resendAt == second.resendAt)
        #expect(try await world.waiting(SendCode.name) == before)
        let other = StepUpSubject(action: .exchange, amount: 6000, unit: .points, target: "S7 Airlines")
        #expect(try await self.send(world, id, of: member, other) == .failure(.codeRefused))
    }

    @Test(arguments: [
        StepUpSubject(action: .donation, amount: 5000, unit: .points, target: "S7 Airlines"),
        StepUpSubject(action: .exchange, amount: 50_000, unit: .points, target: "S7 Airlines"),
        StepUpSubject(action: .exchange, amount: 5000, unit: .points, target: "S8 Airlines"),
    ])
    func `a code confirms nothing else than what it was sent for`(other: StepUpSubject) async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        #expect(try await self.confirm(world, id, of: member, world.code(of: id), other) == .codeRefused)
        #expect(try await self.attempts(world, id) == 1)
    }

    @Test func `a member cannot confirm with another's code`() async throws {
        let world = try AuthWorld()
        let (mine, other, id) = (
            try await world.register().member, try await world.register("+79161234568").member, self.id()
        )
        _ = try await self.send(world, id, of: mine).get()
        #expect(try await self.confirm(world, id, of: other, world.code(of: id)) == .codeRefused)
        #expect(try await self.attempts(world, id) == 0)
        #expect(try await self.confirm(world, id, of: Member.ID(UUID()), world.code(of: id)) == .unknownMember)
    }

    /// supabase/auth #2819: no attempts counted per code.
    @Test func `A22: fifty wrong guesses at once spend three attempts of a step-up`() async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let wrong = try await world.wrongCode(of: id)
        try await world.openConnections()
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await world.parts.members.checkStepUp(id, of: member, Self.subject, code: wrong)
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 0)
        #expect(try await self.attempts(world, id) == 3)
        #expect(try await self.confirm(world, id, of: member, world.code(of: id)) == .codeRefused)
    }

    @Test func `an attempt is counted although the answer's transaction is rolled back`() async throws {
        struct Crash: Error {}
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let wrong = try await world.wrongCode(of: id)
        await #expect(throws: Crash.self) {
            try await world.database.transaction { transaction in
                _ = try await world.parts.members.checkStepUp.answer(
                    ConfirmStepUp(id: id, member: member, subject: Self.subject, code: wrong), in: transaction)
                throw Crash()
            }
        }
        #expect(try await self.attempts(world, id) == 1)
    }

    @Test func `a code lapses after five minutes`() async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let code = try await world.code(of: id)
        world.clock.advance(by: .seconds(300))
        #expect(try await self.confirm(world, id, of: member, code) == .codeRefused)
    }

    @Test func `a member gets ten an hour and thirty a day, and log-ins are not held up by them`() async throws {
        let world = try AuthWorld()
        let member = try await world.register().member
        for round in 0..<3 {
            for _ in 0..<10 { _ = try await self.send(world, self.id(), of: member).get() }
            if round < 2 {
                #expect(try await self.send(world, self.id(), of: member) == .failure(.tooManyCodes))
                world.clock.advance(by: .seconds(3601))
            }
        }
        world.clock.advance(by: .seconds(3601))
        #expect(try await self.send(world, self.id(), of: member) == .failure(.tooManyCodes))
        _ = try await world.logInAgain()
        world.clock.advance(by: .seconds(86_400))
        _ = try await self.send(world, self.id(), of: member).get()
    }

    @Test func `ten at once beside nine before are one`() async throws {
        let world = try AuthWorld()
        let member = try await world.register().member
        for _ in 0..<9 { _ = try await self.send(world, self.id(), of: member).get() }
        try await world.openConnections()
        let sent = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask { (try? await self.send(world, self.id(), of: member).get()) != nil }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(sent == 1)
    }

    @Test func `a spending lock refuses what moves value, when it is asked for and when it is confirmed`() async throws
    {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let code = try await world.code(of: id)
        try await world.parts.members.actions.lockSpending.lock(member)
        #expect(try await self.confirm(world, id, of: member, code) == .spendingLocked)
        #expect(try await self.send(world, self.id(), of: member) == .failure(.spendingLocked))
        #expect(try await self.send(world, self.id(), of: Member.ID(UUID())) == .failure(.unknownMember))
        _ = try await self.send(world, self.id(), of: member, .unlockSpending).get()
    }

    @Test func `neither code nor target nor phone stands in any table`() async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let (dump, code) = (try await world.dump(), try await world.code(of: id))
        #expect(!dump.contains("S7 Airlines") && !dump.contains("9161234567"))
        #expect(!dump.contains(code))
    }

    @Test func `the code of a step-up opens no session, and is sent again to its member only`() async throws {
        let world = try AuthWorld()
        let (member, id) = (try await world.register().member, self.id())
        _ = try await self.send(world, id, of: member).get()
        let outcome = try await world.parts.routes.logIn(
            Challenge.ID(id.raw), answer: world.code(of: id), device: DeviceName(userAgent: nil))
        guard case .refused = outcome else { throw UnexpectedOutcome() }
        world.clock.advance(by: .seconds(30))
        let (resend, challenge) = (world.parts.routes.resendCode, Challenge.ID(id.raw))
        await #expect(throws: ResendCode.Refusal.closed) { try await resend(challenge) }
        await #expect(throws: ResendCode.Refusal.closed) { try await resend(challenge, of: Member.ID(UUID())) }
        let again = try await resend(challenge, of: member)
        #expect(again.expiresAt == world.clock.now + .seconds(300))
        #expect(try await self.confirm(world, id, of: member, world.code(of: id)) == nil)
    }
}
