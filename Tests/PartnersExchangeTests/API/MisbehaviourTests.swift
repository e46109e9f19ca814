import Kernel
import PartnerSimulator
import Redemption
import TestSupport
import Testing

@testable import PartnersExchange

/// The partner misbehaves, over real HTTP. Whatever it does, there is at most one order, and points and miles agree.
@Suite(.exchangeDatabase) struct MisbehaviourTests {
    @Test(arguments: PartnerFault.allCases)
    func `whatever the partner does, points and orders agree in the end`(fault: PartnerFault) async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            world.book.misbehave(fault)
            let id = try await world.exchange("s7-miles", 2000, of: member)
            let isUndone = fault == .reject || fault == .rejectLate
            if !isUndone {
                // Until the order is there and known to be.
                _ = try await self.drive(id, of: member, until: [.accepted, .credited, .settled], world)
                world.book.credit()
            }
            if fault == .loseOrder {
                // What was accepted and is not known any more is nothing to guess about.
                let seen = try await world.drive(id, of: member, to: .manual)
                #expect(seen.reason == "no-answer")
                #expect(try await world.workItems() == ["stuck"])
                #expect(try await world.clearing() == 2000)
                return
            }
            let seen = try await world.drive(id, of: member, to: isUndone ? .reversed : .settled)
            #expect(try await world.balance(of: member) == (isUndone ? [3000, 0] : [1000, 0]))
            #expect(try await world.clearing() == 0)
            #expect(world.book.orders.count == 1)
            if isUndone { #expect(seen.reason == "account-closed") }
            let silent: Set<PartnerFault> = [
                .slow, .error, .errorAfterAccepting, .timeoutAfterAccepting, .garbage,
            ]
            #expect(seen.steps.map(\.state).contains(.unknown) == silent.contains(fault), "\(seen.steps)")
        }
    }

    @Test func `a partner that fails again and again is left alone before points are taken`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(10_000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let quoted = try await world.quote("s7-miles", 1000, of: member).json(ExchangeSeen.self)
            world.book.misbehave(.error, times: 5)
            for _ in 0..<5 {
                let id = try await world.exchange("s7-miles", 1000, of: member)
                try await world.parts.flow.advance(RedemptionRecord.ID(id.raw), of: member)
            }
            let refused = try await world.quote("s7-miles", 1000, of: member)
            #expect(refused.status == 503)
            #expect(refused.problem == "partner-unavailable")
            #expect(refused.headers["retry-after"] == "30")
            // Nor is confirmed what was quoted before.
            #expect(try await world.confirm(quoted.exchange, of: member).problem == "partner-unavailable")
            #expect(try await world.balance(of: member) == [5000, 5000])
            world.clock.advance(by: .seconds(31))
            #expect(try await world.quote("s7-miles", 1000, of: member).status == 201)
        }
    }

    private func drive(
        _ id: Exchange.ID, of member: Member.ID, until states: Set<RedemptionState>, _ world: ExchangeWorld
    ) async throws -> RedemptionState {
        let redemption = RedemptionRecord.ID(id.raw)
        return try await eventually("the exchange is \(states)", within: .seconds(60)) { () -> RedemptionState? in
            let found = try await world.parts.flow.store.find(redemption, of: member, in: world.database)
            let record = try #require(found)
            if states.contains(record.state) { return record.state }
            // Nothing before needs time: with the clock moved on the partner would be asked again while it answers.
            if record.state == .unknown {
                if let due = record.dueAt, due > world.clock.now { world.clock.set(to: due) }
                try await world.parts.flow.advance(redemption, of: member)
            }
            return nil
        }
    }
}
