import Contracts
import FoundationEssentials
import Kernel
import Testing

@testable import Redemption

/// The machine without I/O, walked exhaustively.
@Suite struct StateTests {
    @Test func `every state is reached from a quote`() {
        var reached: Set<RedemptionState> = [.quoted]
        var edge = reached
        while !edge.isEmpty {
            edge = Set(edge.flatMap(\.nexts)).subtracting(reached)
            reached.formUnion(edge)
        }
        #expect(reached == Set(RedemptionState.allCases))
    }

    @Test(arguments: RedemptionState.allCases)
    func `from everywhere there is a way to an end, and an end is settled or undone`(state: RedemptionState) {
        var seen: Set<RedemptionState> = [state]
        var edge = seen
        while !edge.isEmpty {
            edge = Set(edge.flatMap(\.nexts)).subtracting(seen)
            seen.formUnion(edge)
        }
        let ends: Set<RedemptionState> = [.settled, .reversed, .expired]
        #expect(!seen.isDisjoint(with: ends))
        #expect(state.isEnd == ends.contains(state))
        #expect(!state.nexts.contains(state))
    }

    /// Points must never be given back where nobody has said that they were not used.
    @Test func `silence leads to no way back`() {
        #expect(!RedemptionState.submitted.nexts.contains(.reversed))
        #expect(!RedemptionState.submitted.nexts.contains(.cancelling))
        #expect(RedemptionState.unknown.nexts == [.accepted, .credited, .rejected, .manual])
    }

    @Test(arguments: RedemptionState.allCases)
    func `what stands still by itself is an end or waits for a person`(state: RedemptionState) throws {
        for captured in [false, true] {
            let record = try Self.record(state, isCaptured: captured)
            #expect((record.duty == nil) == (state.isEnd || state == .manual))
        }
    }

    @Test(arguments: RedemptionState.allCases)
    func `an answer leads where the machine goes, says nothing new, or contradicts`(state: RedemptionState) throws {
        let record = try Self.record(state, isCaptured: false)
        let answers: [FulfilmentAnswer] = [
            .accepted(reference: nil), .credited(reference: "r"), .rejected(reason: "no"), .unknown(reason: "silent"),
            .pending, .notFound,
        ]
        for answer in answers {
            do {
                guard let next = try record.next(after: answer) else { continue }
                #expect(state.nexts.contains(next))
            } catch {
                #expect(error == Contradiction(state: state, answer: answer))
                // Nothing is contradicted while nothing was decided.
                #expect(![.submitted, .unknown, .manual].contains(state))
            }
        }
        if state == .settled {
            #expect(throws: Contradiction.self) { try record.next(after: .rejected(reason: "late")) }
            #expect(try record.next(after: .credited(reference: nil)) == nil)
        }
        if state == .reversed {
            #expect(throws: Contradiction.self) { try record.next(after: .credited(reference: nil)) }
            #expect(try record.next(after: .rejected(reason: "again")) == nil)
        }
    }

    @Test func `repetitions become rarer and end at the longest`() {
        let pace = RedemptionPolicy.Pace(first: .seconds(5), most: .seconds(60), patience: nil)
        #expect((0..<6).map { pace.delay(after: $0) } == [5, 10, 20, 40, 60, 60].map { .seconds($0) })
        #expect(pace.delay(after: .max) == .seconds(60))
    }

    private static func record(_ state: RedemptionState, isCaptured: Bool) throws -> RedemptionRecord {
        let moment = Timestamp(secondsSince1970: 0)
        return RedemptionRecord(
            id: RedemptionRecord.ID(UUID()), member: Member.ID(UUID()), purpose: .partner("trial"),
            points: try #require(Points(10)), worth: .zero, match: .zero, target: "trial", pause: .zero,
            quotedUntil: moment, createdAt: moment, undo: LedgerTransfer.ID(UUID()), state: state, step: 0, tries: 0,
            since: moment, dueAt: nil, capturedBy: isCaptured ? LedgerTransaction.ID(UUID()) : nil)
    }
}
