import Contracts
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@testable import Ledger
@testable import Redemption

/// Donations and certificates whose process dies at one call in six, on a clock that the test moves; exchanges are those of
/// ``ConservationTests``. Every life ends settled or undone, and points and roubles are where the ends say.
@Suite(.redemptionDatabase) struct SagaChaosTests {
    enum Kind: CaseIterable, Sendable { case donation, certificate }

    /// Lives of one run, and how many of them are under way together.
    private static let lives = 320
    private static let together = 8

    @Test(arguments: Kind.allCases, 1...4 as ClosedRange<UInt64>)
    func `points and roubles are conserved whatever dies`(kind: Kind, seed: UInt64) async throws {
        let world = try await RedemptionWorld()
        try await world.owner.execute("select ledger.open_fund('trial')")
        let saga = try Saga(kind, world)
        var dice = SplitMix64(seed: seed &* 7919)
        var settled = (points: Int64(0), kopecks: Int64(0))
        var undone = 0
        for round in 0..<(Self.lives / Self.together) {
            world.breaks.roll(SplitMix64(seed: seed &* 1_000_003 &+ UInt64(round)))
            var lives: [Saga.Life] = []
            for _ in 0..<Self.together { lives.append(try await saga.begin(&dice)) }
            for _ in 0..<(Self.together * 5) {
                let life = lives[Int.random(in: 0..<lives.count, using: &dice)]
                try await saga.act(on: life, Int.random(in: 0..<10, using: &dice))
                if Int.random(in: 0..<10, using: &dice) == 0 { world.clock.advance(by: .seconds(200)) }
            }
            world.breaks.roll(nil)
            for life in lives {
                let end = try await saga.drive(life)
                #expect(end.state.isEnd, "\(kind), seed \(seed), round \(round): \(end.state)")
                let isSettled = end.state == .settled
                let left = life.issued - (isSettled ? end.points.amount : 0)
                #expect(try await world.balance(of: life.member) == [left, 0], "\(kind), seed \(seed), round \(round)")
                if !isSettled { undone += 1 }
                if isSettled { settled.points += end.points.amount }
                if isSettled { settled.kopecks += end.worth.amount + end.match.amount }
            }
        }
        // Otherwise one of the two ends was never seen.
        #expect(settled.points > 0)
        #expect(undone > 0)
        try await saga.expectBooks(points: settled.points, kopecks: settled.kopecks)
    }
}

/// What a donation or a certificate is, between the real ledger and processes that die.
private struct Saga: Sendable {
    struct Life: Sendable {
        let member: Member.ID
        let id: RedemptionRecord.ID
        let issued: Int64
    }

    let kind: SagaChaosTests.Kind
    let world: RedemptionWorld
    let flow: RedemptionFlow

    init(_ kind: SagaChaosTests.Kind, _ world: RedemptionWorld) throws {
        (self.kind, self.world) = (kind, world)
        let test = try TestDatabase.current
        let bus = Bus(
            service: "partners_exchange", database: world.database,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            logger: CapturedLogs.logger)
        let policy = RedemptionPolicy(action: kind == .donation ? .donation : .certificate, crediting: nil)
        self.flow = RedemptionFlow(
            schema: "partners_exchange", database: world.database, bus: bus, clock: world.clock, ids: world.ids,
            policy: policy, calls: world.flow.calls, drive: DriveTrial.self,
            fulfilment: InTheHouse(kind: kind, breaks: world.breaks))
    }

    /// A member with more or less enough points, and a quote of theirs.
    func begin(_ dice: inout SplitMix64) async throws -> Life {
        let points = Int64.random(in: 200...1500, using: &dice) * 10
        let issued = Int.random(in: 0..<8, using: &dice) == 0 ? points - 10 : points + 100
        let member = try await self.world.member(issued)
        let worth = try #require(Kopecks(points * 10))
        let isDonation = self.kind == .donation
        let isDoubled = isDonation && Bool.random(using: &dice)
        let new = NewRedemption(
            id: self.world.ids.next(), member: member, purpose: isDonation ? .charity("trial") : .certificate,
            points: try #require(Points(points)), worth: worth, match: isDoubled ? worth : .zero, target: "Trial",
            pause: isDonation ? .seconds(1800) : .zero, quotedUntil: self.world.clock.now + .seconds(600))
        let id = try await self.world.database.transaction { try await self.flow.open(new, in: $0).id }
        return Life(member: member, id: id, issued: issued)
    }

    /// Something that a member or a job does; a death is no failure of the test.
    func act(on life: Life, _ what: Int) async throws {
        do {
            switch what {
            case 0...3:
                _ = try await self.flow.requestCode(for: life.id, of: life.member)
                _ = try await self.flow.confirm(life.id, of: life.member, code: RedemptionWorld.code)
            case 4: _ = try await self.flow.confirm(life.id, of: life.member, code: "000000")
            case 5: _ = try await self.flow.takeBack(life.id, of: life.member)
            default: try await self.flow.advance(life.id, of: life.member)
            }
        } catch is CancellationError {
        } catch is RedemptionRefusal {
        }
    }

    func drive(_ life: Life) async throws -> RedemptionRecord {
        for _ in 0..<100 {
            let record = try await self.world.record(life.id, of: life.member)
            guard let due = record.dueAt, record.duty != nil else { return record }
            if due > self.world.clock.now { self.world.clock.set(to: due) }
            try await self.flow.advance(life.id, of: life.member)
        }
        return try await self.world.record(life.id, of: life.member)
    }

    /// The fund is paid, its clearing account is back to zero, and the money is what the ends say.
    func expectBooks(points: Int64, kopecks: Int64) async throws {
        switch self.kind {
        case .donation:
            #expect(try await self.account("charity:trial:clearing") == points)
            #expect(try await self.account("rub:charity:trial:payable") == kopecks)
            let transfer = PayOut(
                id: self.world.ids.next(), purpose: .charity("trial"), until: self.world.clock.now + .seconds(1))
            _ = try await self.world.ledger.transaction {
                try await TransferStore().apply([.payOut(transfer)], at: self.world.clock.now, in: $0)
            }
            #expect(try await self.world.clearing() == 0)
            #expect(try await self.account("charity:trial:clearing") == 0)
            #expect(try await self.account("rub:charity:trial:paid") == kopecks)
        case .certificate:
            #expect(try await self.account("certificate:funding") == points)
            #expect(try await self.account("rub:certificate") == kopecks)
            #expect(try await self.account("rub:points-funded") == -kopecks)
        }
        try await self.world.expectBooksInOrder()
    }

    private func account(_ code: String) async throws -> Int64 {
        try await self.world.owner.one(
            """
            select coalesce(sum(case when p.credit = a.id then p.amount else -p.amount end), 0)::bigint
            from ledger.account as a
            left join ledger.posting as p on a.id in (p.credit, p.debit)
            where a.code = \(code)
            """
        ).decode(Int64.self)
    }
}

/// Nothing leaves the house: the ledger's transaction is all of it. Now and then it waits, as donations do at the turn of
/// a month.
private struct InTheHouse: Fulfilment {
    let kind: SagaChaosTests.Kind
    let breaks: Breaks

    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        try await self.breaks.around {
            self.kind == .donation && redemption.points.amount % 70 == 0 ? .pending : .credited(reference: nil)
        }
    }

    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        try await self.breaks.around { .credited(reference: nil) }
    }

    func capture(of redemption: RedemptionRecord) -> Transfer {
        switch self.kind {
        case .donation:
            .capture(
                CaptureHold(
                    hold: redemption.hold, member: redemption.member, points: nil, worth: redemption.worth,
                    match: redemption.match == .zero ? nil : redemption.match))
        case .certificate:
            .issueCertificate(
                IssueCertificate(
                    id: redemption.transfer, member: redemption.member, kopecks: redemption.worth,
                    hold: redemption.hold))
        }
    }
}
