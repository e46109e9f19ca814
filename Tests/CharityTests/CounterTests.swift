import Contracts
import FoundationEssentials
import Kernel
import TestSupport
import Testing
import Web

@testable import Charity

/// What everybody sees.
@Suite(.charity) struct CounterTests {
    @Test func `the counter is what the books say, and counts what is given and not what is promised`() async throws {
        try await CharityWorld.run { world in
            #expect(try await Self.counter(world) == CounterSeen(donations: 0, points: 0, kopecks: 0))
            let anna = try await world.member(points: 500)
            let given = try await anna.give(200)
            world.clock.advance(by: .seconds(11))
            #expect(try await Self.counter(world) == CounterSeen(donations: 0, points: 0, kopecks: 0))
            world.clock.advance(by: .seconds(1861))
            try await world.keep()
            try await eventually("it is given", isTrue: { try await anna.donation(given.id).state == "given" })
            world.clock.advance(by: .seconds(11))
            #expect(try await Self.counter(world) == CounterSeen(donations: 1, points: 200, kopecks: 4000))
        }
    }

    @Test func `a new fund gets its accounts, and donations to it are possible at once`() async throws {
        try await CharityWorld.run { world in
            let staff = try world.staff(Staff.ID(UUID()), .financeOperator)
            let fund = [
                "id": "forests", "name": "Леса", "nameEn": "Forests", "about": "Сажаем деревья.",
                "aboutEn": "Plants trees.",
            ]
            let made = try await staff.post("/v1/staff/funds", fund, headers: ["idempotency-key": "f"])
            #expect(made.status == 201)
            let again = try await staff.post("/v1/staff/funds", fund, headers: ["idempotency-key": "g"])
            #expect(again.problem == "fund-exists")
            let campaign = try await staff.post(
                "/v1/staff/campaigns",
                text: """
                    {"fund": "forests", "title": "Тысяча сосен", "titleEn": "A thousand pines",
                    "beginsAt": "2026-01-01T00:00:00Z", "matchBudget": 100000}
                    """, headers: ["idempotency-key": "c"])
            #expect(campaign.status == 201)
            let id = try campaign.json(CampaignSeen.self).id
            let anna = try await world.member(points: 100)
            let quote = try await anna.client().post(
                "/v1/donations", text: #"{"campaign": "\#(id)", "points": 100}"#, headers: ["idempotency-key": "d"])
            let donation: DonationSeen = try quote.json()
            #expect(try await anna.confirm(donation.id).json(DonationSeen.self).state == "confirmed")
            let campaigns: [CampaignSeen] = try await world.everybody().get("/v1/campaigns").json()
            #expect(campaigns.first { $0.id == id }?.matchLeft == 99_000)
        }
    }

    private static func counter(_ world: CharityWorld) async throws -> CounterSeen {
        try await world.everybody().get("/v1/counter").json()
    }
}

struct CounterSeen: Decodable, Hashable, Sendable {
    let donations: Int64
    let points: Int64
    let kopecks: Int64
}

struct CampaignSeen: Decodable, Hashable, Sendable {
    let id: String
    let matchLeft: Int64
}
