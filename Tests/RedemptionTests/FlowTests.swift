import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Redemption

/// The flow on a real database with the real ledger's books.
@Suite(.redemptionDatabase) struct FlowTests {
    @Test func `a redemption goes from quote to settled, and the books close about it`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(1000)
        let id = try await world.quote(600, of: member)
        let reply = try await world.flow.requestCode(for: id, of: member)
        #expect(reply.expiresAt != nil)
        let reserved = try await world.flow.confirm(id, of: member, code: RedemptionWorld.code)
        #expect(reserved.state == .reserved)
        #expect(try await world.balance(of: member) == [400, 600])

        let end = try await world.drive(id, of: member)
        #expect(end.state == .settled)
        #expect(end.reference == "ref")
        #expect(end.reason == nil)
        #expect(try await world.balance(of: member) == [400, 0])
        #expect(try await world.clearing() == 0)
        #expect(
            try await world.steps(id, of: member) == [
                .quoted, .confirming, .reserving, .reserved, .submitted, .accepted, .credited, .settled,
            ])
        #expect(world.otherSide.requests(for: id) == 1)
        try await world.expectBooksInOrder()
    }

    @Test func `a rejection gives the points back and says why`() async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = .rejects
        let (member, id) = try await self.confirmed(world, 600)
        let end = try await world.drive(id, of: member)
        #expect(end.state == .reversed)
        #expect(end.reason == "account-closed")
        #expect(try await world.balance(of: member) == [1000, 0])
        try await world.expectBooksInOrder()
    }

    @Test func `a late rejection undoes the capture`() async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = .rejectsLate
        let (member, id) = try await self.confirmed(world, 600)
        let end = try await world.drive(id, of: member)
        #expect(end.state == .reversed)
        #expect(try await world.balance(of: member) == [1000, 0])
        #expect(try await world.clearing() == 0)
        #expect(try await world.steps(id, of: member).suffix(3) == [.accepted, .rejected, .reversed])
        try await world.expectBooksInOrder()
    }

    /// The rule that protects the shop: what was not answered may have been done.
    @Test func `silence gives nothing back: it is asked about for six hours, then a person looks`() async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = .isSilent
        let (member, id) = try await self.confirmed(world, 600)
        let began = world.clock.now
        let end = try await world.drive(id, of: member)
        #expect(end.state == .manual)
        #expect(end.reason == "no-answer")
        #expect(try await world.balance(of: member) == [400, 600])
        #expect(world.clock.now - began >= .seconds(6 * 3600))
        #expect(world.clock.now - began < .seconds(7 * 3600))
        let stuck = try await world.flow.store.stuck(since: world.clock.now, limit: 10, in: world.database)
        #expect(stuck.map(\.id) == [id])

        // What the person finds out is heard like an answer.
        try await world.database.transaction { transaction in
            try await world.flow.hear(.rejected(reason: "decided-by-staff"), about: id, of: member, in: transaction)
        }
        #expect(try await world.drive(id, of: member).state == .reversed)
        #expect(try await world.balance(of: member) == [1000, 0])
    }

    @Test func `an order whose answer was lost is found, not made again`() async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = .swallowsAnswer
        let (member, id) = try await self.confirmed(world, 600)
        let end = try await world.drive(id, of: member)
        #expect(end.state == .settled)
        #expect(try await world.steps(id, of: member).contains(.unknown))
        #expect(world.otherSide.requests(for: id) == 1)
    }

    @Test func `an order that the other side has never heard of is sent again under its id`() async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = .losesOrder
        let (member, id) = try await self.confirmed(world, 600)
        #expect(try await world.drive(id, of: member).state == .settled)
        #expect(world.otherSide.requests(for: id) == 2)
        #expect(try await world.balance(of: member) == [400, 0])
    }

    @Test func `too few points end it, and nothing was asked of the other side`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(100)
        let id = try await world.quote(600, of: member)
        _ = try await world.flow.requestCode(for: id, of: member)
        await #expect(throws: RedemptionRefusal.hold(.insufficientPoints, available: Points(100))) {
            try await world.flow.confirm(id, of: member, code: RedemptionWorld.code)
        }
        let end = try await world.drive(id, of: member)
        #expect(end.state == .reversed)
        #expect(end.reason == "insufficient-points")
        #expect(world.otherSide.requests(for: id) == 0)
        #expect(try await world.balance(of: member) == [100, 0])
    }

    @Test func `a wrong code changes nothing, and a stranger finds nothing`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(1000)
        let stranger = try await world.member(1000)
        let id = try await world.quote(600, of: member)
        await #expect(throws: RedemptionRefusal.notAsked) { try await world.flow.confirm(id, of: member, code: "1") }
        _ = try await world.flow.requestCode(for: id, of: member)
        await #expect(throws: RedemptionRefusal.stepUp(.codeRefused)) {
            try await world.flow.confirm(id, of: member, code: "000000")
        }
        await #expect(throws: RedemptionRefusal.notFound) {
            try await world.flow.confirm(id, of: stranger, code: RedemptionWorld.code)
        }
        await #expect(throws: RedemptionRefusal.notFound) { try await world.flow.takeBack(id, of: stranger) }
        #expect(try await world.record(id, of: member).state == .confirming)
        #expect(try await world.balance(of: member) == [1000, 0])
    }

    @Test func `an offer that runs out cannot be confirmed`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(1000)
        let id = try await world.quote(600, of: member)
        _ = try await world.flow.requestCode(for: id, of: member)
        world.clock.advance(by: .seconds(600))
        await #expect(throws: RedemptionRefusal.expired) {
            try await world.flow.confirm(id, of: member, code: RedemptionWorld.code)
        }
        #expect(try await world.drive(id, of: member).state == .expired)
        #expect(try await world.balance(of: member) == [1000, 0])
    }

    @Test func `it can be taken back while it waits, and not afterwards`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(1000)
        let first = try await world.quote(300, of: member, pause: .seconds(1800))
        let second = try await world.quote(300, of: member, pause: .seconds(1800))
        for id in [first, second] { _ = try await world.flow.begin(id, of: member) }
        world.clock.advance(by: .seconds(1799))
        try await world.flow.advance(first, of: member)
        #expect(world.otherSide.requests(for: first) == 0)
        #expect(try await world.flow.takeBack(first, of: member).state == .cancelling)
        #expect(try await world.drive(first, of: member).state == .reversed)
        #expect(try await world.balance(of: member) == [700, 300])

        #expect(try await world.drive(second, of: member).state == .settled)
        await #expect(throws: RedemptionRefusal.tooLate(.settled)) {
            try await world.flow.takeBack(second, of: member)
        }
        #expect(try await world.balance(of: member) == [700, 0])
    }

    @Test func `what the other side says twice, late or against itself changes nothing`() async throws {
        let world = try await RedemptionWorld()
        let (member, id) = try await self.confirmed(world, 600)
        #expect(try await world.drive(id, of: member).state == .settled)
        try await world.database.transaction { transaction in
            try await world.flow.hear(.credited(reference: "x"), about: id, of: member, in: transaction)
            try await world.flow.hear(.accepted(reference: "x"), about: id, of: member, in: transaction)
        }
        await #expect(throws: Contradiction.self) {
            try await world.database.transaction { transaction in
                try await world.flow.hear(.rejected(reason: "late"), about: id, of: member, in: transaction)
            }
        }
        #expect(try await world.record(id, of: member).reference == "ref")
        #expect(try await world.balance(of: member) == [400, 0])
    }

    @Test func `what has lost its job is woken`() async throws {
        let world = try await RedemptionWorld()
        let (_, _) = try await self.confirmed(world, 600)
        #expect(try await world.flow.sweep() == 0)
        world.clock.advance(by: .seconds(120))
        #expect(try await world.flow.sweep() == 1)
    }

    @Test func `a step that the service cannot follow is not taken`() async throws {
        let world = try await RedemptionWorld()
        let member = try await world.member(1000)
        let id = try await world.quote(600, of: member)
        world.otherSide.refuses = .reserving
        await #expect(throws: OtherSide.Unwilling.self) { try await world.flow.begin(id, of: member) }
        #expect(try await world.record(id, of: member).state == .quoted)
        #expect(try await world.steps(id, of: member) == [.quoted])
        #expect(try await world.balance(of: member) == [1000, 0])
        world.otherSide.refuses = nil
        #expect(try await world.flow.begin(id, of: member).state == .reserved)
    }

    private func confirmed(
        _ world: RedemptionWorld, _ points: Int64
    ) async throws -> (Member.ID, RedemptionRecord.ID) {
        let member = try await world.member(1000)
        let id = try await world.quote(points, of: member)
        _ = try await world.flow.begin(id, of: member)
        return (member, id)
    }
}
