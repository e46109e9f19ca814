import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Charity

/// What the shop adds, and that it never adds more than it has said.
@Suite(.charity) struct MatchTests {
    @Test func `when the budget is spent the member is told before confirming, and gives undoubled only knowingly`()
        async throws
    {
        try await CharityWorld.run { world in
            try await world.setMatch(999)
            let anna = try await world.member(points: 500)
            let answer = try await anna.quote(100)
            #expect((answer.status, answer.problem) == (409, "match-spent"))
            #expect(try answer.json(Left.self).matchLeft == 999)
            let given = try await anna.give(100, undoubled: true)
            #expect((given.state, given.worth, given.match) == ("confirmed", 1000, 0))
            world.clock.advance(by: .seconds(1861))
            try await world.keep()
            try await eventually("it is given", isTrue: { try await anna.donation(given.id).state == "given" })
            #expect(try await world.account("rub:charity:line-of-life:payable") == 1000)
            #expect(try await world.account("rub:charity-match") == 0)
            #expect(try await world.matchLeft() == 999)
        }
    }

    @Test func `a budget that ran out between offer and confirmation doubles nothing in silence`() async throws {
        try await CharityWorld.run { world in
            let anna = try await world.member(points: 500)
            let quote: DonationSeen = try await anna.quote(100).json()
            try await world.setMatch(500)
            #expect(try await anna.confirm(quote.id).problem == "match-spent")
            #expect(try await anna.donation(quote.id).state == "offered")
            #expect(try await world.account("member:held") == 0)
            #expect(try await world.matchLeft() == 500)
        }
    }

    /// Twelve people confirm at once; there is enough for five of them. With a budget that is read and then written,
    /// more than five would be doubled.
    @Test func `the last of the budget is promised to as many as there is enough for, however many ask at once`()
        async throws
    {
        try await CharityWorld.run { world in
            let donors = try await withThrowingTaskGroup(of: (Donor, String).self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        let donor = try await world.member(points: 100)
                        return (donor, try await donor.quote(100).json(DonationSeen.self).id)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await world.setMatch(5 * 1000 + 999)
            let problems = try await withThrowingTaskGroup(of: String?.self) { group in
                for (donor, quote) in donors {
                    group.addTask { try await donor.confirm(quote).problem }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(problems.count { $0 == nil } == 5)
            #expect(problems.count { $0 == "match-spent" } == 7)
            #expect(try await world.matchLeft() == 999)
            #expect(try await world.account("member:held") == 500)
        }
    }

    @Test func `the database itself refuses to promise more than the budget`() async throws {
        let test = try TestDatabase.current
        await #expect(throws: (any Error).self) {
            try await test.owner.execute("update charity.campaign set match_left = -1")
        }
        await #expect(throws: (any Error).self) {
            try await test.owner.execute("update charity.campaign set match_left = match_budget + 1")
        }
    }

    private struct Left: Decodable {
        let matchLeft: Int64
    }
}
