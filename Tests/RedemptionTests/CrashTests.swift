import Kernel
import TestSupport
import Testing

@testable import Redemption

/// The process dies at every call that leaves it, before the call is made and after it was answered; the next process
/// looks at the row. However the other side behaves, the end is the end of an undisturbed run.
@Suite(.redemptionDatabase) struct CrashTests {
    @Test(arguments: OtherSide.Manner.allCases)
    func `a crash anywhere ends as if there had been none`(manner: OtherSide.Manner) async throws {
        let world = try await RedemptionWorld()
        world.otherSide.manner = manner
        var points = 0
        for isAfter in [false, true] {
            for call in 1...40 {
                let member = try await world.member(1000)
                let id = try await world.quote(600, of: member)
                world.breaks.arm(call, isAfter: isAfter)
                try await self.confirm(id, of: member, world)
                let end = try await world.drive(id, of: member)
                try await self.expectEnd(end, manner, world, "call \(call), after: \(isAfter)")
                guard world.breaks.hasBroken else { break }
                points += 1
            }
        }
        world.breaks.arm(nil, isAfter: false)
        // Fewer would mean that the calls were not gone through.
        #expect(points >= 10)
        #expect(try await world.clearing() == 0)
        try await world.expectBooksInOrder()
    }

    /// The member's app repeats what was not answered.
    private func confirm(_ id: RedemptionRecord.ID, of member: Member.ID, _ world: RedemptionWorld) async throws {
        for _ in 0..<3 {
            do {
                _ = try await world.flow.requestCode(for: id, of: member)
                _ = try await world.flow.confirm(id, of: member, code: RedemptionWorld.code)
                return
            } catch is CancellationError {
                continue
            } catch RedemptionRefusal.tooLate {
                return
            }
        }
    }

    private func expectEnd(
        _ end: RedemptionRecord, _ manner: OtherSide.Manner, _ world: RedemptionWorld, _ at: String
    ) async throws {
        let balance = try await world.balance(of: end.member)
        switch manner {
        case .accepts, .credits, .swallowsAnswer, .losesOrder:
            #expect(end.state == .settled, "\(at)")
            #expect(balance == [400, 0], "\(at)")
        case .rejects, .rejectsLate:
            #expect(end.state == .reversed, "\(at)")
            #expect(balance == [1000, 0], "\(at)")
        case .isSilent:
            #expect(end.state == .manual, "\(at)")
            #expect(balance == [400, 600], "\(at)")
        }
    }
}
