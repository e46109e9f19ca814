import Kernel
import TestSupport
import Testing

@testable import Redemption

/// Many redemptions at once, an other side of changing manners, and processes that die at one call in six. In the end no
/// point is lost or made, every redemption is settled or undone, and nothing is left on the clearing account.
@Suite(.redemptionDatabase) struct ConservationTests {
    private static let issued: Int64 = 1000
    private static let manners: [OtherSide.Manner] = [
        .accepts, .credits, .rejects, .rejectsLate, .swallowsAnswer, .losesOrder,
    ]

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `points are conserved whatever happens`(seed: UInt64) async throws {
        let world = try await RedemptionWorld()
        var dice = SplitMix64(seed: seed)
        var redemptions: [(member: Member.ID, id: RedemptionRecord.ID, points: Int64)] = []
        for _ in 0..<10 {
            let member = try await world.member(Self.issued)
            for _ in 0..<3 {
                let points = Int64.random(in: 1...600, using: &dice)
                redemptions.append((member, try await world.quote(points, of: member), points))
            }
        }
        world.breaks.roll(SplitMix64(seed: seed &* 31))
        for _ in 0..<400 {
            let chosen = redemptions[Int.random(in: 0..<redemptions.count, using: &dice)]
            world.otherSide.manner = Self.manners[Int.random(in: 0..<Self.manners.count, using: &dice)]
            try await self.act(on: chosen.id, of: chosen.member, Int.random(in: 0..<10, using: &dice), world)
            if Int.random(in: 0..<8, using: &dice) == 0 { world.clock.advance(by: .seconds(45)) }
        }
        world.breaks.roll(nil)
        world.otherSide.manner = .accepts
        var spent: [Member.ID: Int64] = [:]
        for redemption in redemptions {
            let end = try await world.drive(redemption.id, of: redemption.member)
            #expect(end.state.isEnd, "\(end.state)")
            if end.state == .settled { spent[redemption.member, default: 0] += redemption.points }
        }
        for member in Set(redemptions.map(\.member)) {
            #expect(try await world.balance(of: member) == [Self.issued - (spent[member] ?? 0), 0])
        }
        #expect(try await world.clearing() == 0)
        try await world.expectBooksInOrder()
    }

    /// Something that a member or a job does; a crash is no failure of the test.
    private func act(
        on id: RedemptionRecord.ID, of member: Member.ID, _ what: Int, _ world: RedemptionWorld
    ) async throws {
        do {
            switch what {
            case 0...2:
                _ = try await world.flow.requestCode(for: id, of: member)
                _ = try await world.flow.confirm(id, of: member, code: RedemptionWorld.code)
            case 3: _ = try await world.flow.confirm(id, of: member, code: "000000")
            case 4: _ = try await world.flow.takeBack(id, of: member)
            default: try await world.flow.advance(id, of: member)
            }
        } catch is CancellationError {
        } catch is RedemptionRefusal {
        }
    }
}
