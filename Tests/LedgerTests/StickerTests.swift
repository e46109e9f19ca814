import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct StickerTests {
    @Test func `stickers are an asset of their own, earned and exchanged`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.openCampaign("plates", days: 30)
        try await books.openCampaign("cups", days: 30)
        #expect(try await books.stickers(12, of: "plates", for: member).result?.balance == 12)
        #expect(try await books.stickers(1, of: "cups", for: member).result?.balance == 1)
        #expect(try await books.stickers(-10, of: "plates", for: member).result?.balance == 2)

        #expect(try await books.available(member) == 0)
        #expect(try await books.total("stickers:plates:redeemed") == 10)
        #expect(try await books.count("select count(distinct asset) from ledger.account where asset like 'STK:%'") == 2)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `nobody exchanges more stickers than there are, also at once`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.openCampaign("plates", days: 30)
        _ = try await books.stickers(10, of: "plates", for: member)
        let outcomes = try await withThrowingTaskGroup(of: TransferOutcome.self) { group in
            for _ in 0..<8 { group.addTask { try await books.stickers(-3, of: "plates", for: member) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0.refusal == .insufficientStickers }.count == 5)
        await #expect(throws: DatabaseError.self) {
            try await books.owner.execute("update ledger.sticker set balance = -1")
        }
        #expect(try await books.findings().isEmpty)
    }

    @Test func `when the campaign ends its stickers are gone, and it gives none any more`() async throws {
        let books = try await Books()
        let members = (0..<3).map { _ in books.member() }
        try await books.openCampaign("plates", days: 30)
        for member in members { _ = try await books.stickers(5, of: "plates", for: member) }
        books.clock.advance(by: .seconds(30 * 86_400))

        #expect(try await books.stickers(1, of: "plates", for: members[0]).refusal == .campaignOver)
        #expect(try await books.stickers(-1, of: "plates", for: members[0]).refusal == .campaignOver)
        #expect(try await books.stickers(1, of: "bowls", for: members[0]).refusal == .unknownCampaign)
        #expect(try await books.upkeep.expireStickers() == 3)
        #expect(try await books.upkeep.expireStickers() == 0)
        #expect(try await books.total("stickers:plates:breakage") == 15)
        #expect(try await books.feed(members[1]).map(\.kind) == [.expire, .sticker])
        #expect(try await books.findings().isEmpty)
    }
}
