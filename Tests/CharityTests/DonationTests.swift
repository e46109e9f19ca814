import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Charity

/// Donations through HTTP, with the real ledger behind them (features.md, row 27).
@Suite(.charity) struct DonationTests {
    @Test func `a donation is doubled, can be undone for half an hour, and is then one transaction of the ledger`()
        async throws
    {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 1500)
            let quote = try await anna.quote(1000)
            #expect(quote.status == 201)
            let offered: DonationSeen = try quote.json()
            #expect(offered.state == "offered")
            #expect((offered.worth, offered.match, offered.needsCode) == (10_000, 10_000, false))

            let confirmed: DonationSeen = try await anna.confirm(offered.id).json()
            #expect(confirmed.state == "confirmed")
            #expect(confirmed.undoUntil == world.clock.now + .seconds(1800))
            #expect(try await world.account("member:held") == 1000)
            #expect(try await world.matchLeft() == 50_000_000 - 10_000)

            world.clock.advance(by: .seconds(1800 + 61))
            try await world.keep()
            try await eventually(
                "the donation is given", isTrue: { try await anna.donation(offered.id).state == "given" })
            #expect(try await world.account("member:held") == 0)
            #expect(try await world.account("charity:line-of-life:clearing") == 1000)
            #expect(try await world.account("rub:charity:line-of-life:payable") == 20_000)
            #expect(try await world.account("rub:points-funded") == -10_000)
            #expect(try await world.account("rub:charity-match") == -10_000)
            let transactions: Int64 = try await world.neighbour.look(
                "select count(*) from ledger.transaction where kind = 'capture'")
            #expect(transactions == 1)
            #expect(try await anna.undo(offered.id).problem == "too-late")
        }
    }

    @Test func `what is undone gives the points and the shop's promise back`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let given = try await anna.give(500)
            #expect(try await world.matchLeft() == 50_000_000 - 5000)
            let undone: DonationSeen = try await anna.undo(given.id).json()
            #expect(undone.state == "undone")
            try await eventually("the points are back", isTrue: { try await world.account("member:available") == 500 })
            #expect(try await world.matchLeft() == 50_000_000)
            // Again: the same.
            #expect(try await anna.undo(given.id).json(DonationSeen.self).state == "undone")
            #expect(try await world.matchLeft() == 50_000_000)
        }
    }

    @Test func `more than 1000 points take a code that says what it confirms`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 5000)
            let quote: DonationSeen = try await anna.quote(1010).json()
            #expect(quote.needsCode)
            #expect(try await anna.confirm(quote.id).problem == "code-needed")
            #expect(try await anna.confirm(quote.id, code: StandInAuth.code).problem == "code-not-asked")
            #expect(try await anna.askCode(quote.id).status == 202)
            #expect(
                world.auth.subjects == [
                    StepUpSubject(action: .donation, amount: 1010, unit: .points, target: "Линия жизни")
                ])
            #expect(try await anna.confirm(quote.id, code: "000000").problem == "code-refused")
            #expect(try await world.account("member:held") == 0)
            let confirmed: DonationSeen = try await anna.confirm(quote.id, code: StandInAuth.code).json()
            #expect(confirmed.state == "confirmed")
            #expect(try await world.account("member:held") == 1010)
        }
    }

    @Test func `who asks for a code where none is needed confirms by it`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let quote: DonationSeen = try await anna.quote(100).json()
            #expect(try await anna.askCode(quote.id).status == 202)
            #expect(try await anna.confirm(quote.id).problem == "code-needed")
            #expect(
                try await anna.confirm(quote.id, code: StandInAuth.code).json(DonationSeen.self).state == "confirmed")
        }
    }

    @Test func `the limit without a code is of a day, however the donations are cut`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 5000)
            // Both offered before either is confirmed: the second one is stopped when it is confirmed.
            let first: DonationSeen = try await anna.quote(600).json()
            let second: DonationSeen = try await anna.quote(600).json()
            #expect((first.needsCode, second.needsCode) == (false, false))
            #expect(try await anna.confirm(first.id).status == 200)
            #expect(try await anna.confirm(second.id).problem == "code-needed")
            #expect(try await world.account("member:held") == 600)
            #expect(try await anna.quote(410).json(DonationSeen.self).needsCode)
            #expect(try await !anna.quote(400).json(DonationSeen.self).needsCode)
            world.clock.advance(by: .seconds(86_401))
            #expect(try await !anna.quote(1000).json(DonationSeen.self).needsCode)
        }
    }

    @Test func `who has locked spending gives nothing, and who is not confirmed yet does not either`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let quote: DonationSeen = try await anna.quote(100).json()
            world.auth.lockSpending(of: anna.id)
            #expect(try await anna.confirm(quote.id).problem == "spending-locked")
            let boris = try await world.member(points: 500)
            world.auth.suspend(boris.id)
            let other: DonationSeen = try await boris.quote(100).json()
            #expect(try await boris.confirm(other.id).problem == "not-active")
            #expect(try await world.account("member:held") == 0)
        }
    }

    @Test(arguments: [0, 5, 9, 15, 1001, -10, 10_000_010] as [Int64])
    func `only whole roubles are given`(points: Int64) async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 5000)
            let answer = try await anna.quote(points)
            #expect(answer.status == 422)
            #expect(answer.problem == "invalid-points")
        }
    }

    @Test func `too few points are told at once, and the promise of the shop is free again`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 50)
            let quote: DonationSeen = try await anna.quote(60).json()
            let answer = try await anna.confirm(quote.id)
            #expect(answer.problem == "insufficient-points")
            try await eventually(
                "the redemption is undone", isTrue: { try await anna.donation(quote.id).state == "refused" })
            #expect(try await world.matchLeft() == 50_000_000)
        }
    }

    @Test func `a donation of somebody else is answered like none`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let boris = try await world.member(points: 500)
            let given = try await anna.give(100)
            #expect(try await boris.client().get("/v1/donations/\(given.id)").status == 404)
            #expect(try await boris.confirm(given.id).status == 404)
            #expect(try await boris.undo(given.id).status == 404)
            #expect(try await boris.askCode(given.id).status == 404)
            #expect(try await world.everybody().get("/v1/donations/\(given.id)").problem == "token-missing")
            #expect(try await anna.donation(given.id).state == "confirmed")
        }
    }

    @Test func `the same request again is the same donation`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let first: DonationSeen = try await anna.quote(100, key: "one").json()
            let again = try await anna.quote(100, key: "one")
            #expect(again.headers["idempotent-replayed"] == "true")
            #expect(try again.json(DonationSeen.self) == first)
            #expect(try await anna.quote(200, key: "one").problem == "idempotency-key-reused")
            _ = try await anna.confirm(first.id)
            #expect(try await anna.confirm(first.id).json(DonationSeen.self).state == "confirmed")
            #expect(try await world.account("member:held") == 100)
        }
    }
}
