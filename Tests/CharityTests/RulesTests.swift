import Kernel
import Testing

@testable import Charity

/// The rules without a database.
@Suite struct RulesTests {
    @Test(arguments: [(1000, 0, false), (1010, 0, true), (400, 600, false), (410, 600, true), (10, 5000, true)])
    func `a code is needed beyond a thousand points a day`(points: Int64, recent: Int64, needed: Bool) throws {
        let amount = try #require(Points(points).flatMap { DonationAmount($0) })
        #expect(DonationRules().needsCode(amount, recent: try #require(Points(recent))) == needed)
    }

    @Test func `ten points are a rouble`() throws {
        #expect(try #require(Points(250).flatMap { DonationAmount($0) }).worth == Kopecks(2500))
    }

    @Test func `a settlement file says the same bytes for the same donations, and adds up`() throws {
        let fund = Fund(id: "f", name: "Ф", englishName: "F", about: "", englishAbout: "", openedAt: nil)
        let month = try #require(CivilDate(year: 2026, month: 3, day: 1))
        let ids = try (1...2).map { try #require(Donation.ID("0000000\($0)-0000-7000-8000-000000000000")) }
        let lines = try ids.map { id in
            BatchLine(
                donation: id, bookedAt: Timestamp(secondsSince1970: 1_773_000_000), points: try #require(Points(10)),
                worth: try #require(Kopecks(100)), match: try #require(Kopecks(100)))
        }
        let batch = try #require(Batch.ID("00000009-0000-7000-8000-000000000000"))
        let file = SettlementFile(batch: batch, fund: fund, month: month, lines: lines)
        #expect(file.sums == (20, 200, 200))
        #expect(
            String(decoding: file.bytes, as: UTF8.self) == """
                # settlement 00000009-0000-7000-8000-000000000000
                # fund f
                # month 2026-03
                # donations 2
                # points 20
                # donated 200
                # matched 200
                donation,booked_at,points,donated_kopecks,matched_kopecks
                00000001-0000-7000-8000-000000000000,2026-03-08T20:00:00Z,10,100,100
                00000002-0000-7000-8000-000000000000,2026-03-08T20:00:00Z,10,100,100

                """)
    }

    @Test func `a signature is of these bytes and by this key`() throws {
        let (one, other) = (
            try SettlementKey(Secret(String(repeating: "a", count: 32))),
            try SettlementKey(Secret(String(repeating: "b", count: 32)))
        )
        let signature = try one.signature(of: [1, 2, 3])
        #expect(one.publicKey.isSignature(signature, of: [1, 2, 3]))
        #expect(!one.publicKey.isSignature(signature, of: [1, 2, 4]))
        #expect(!other.publicKey.isSignature(signature, of: [1, 2, 3]))
        #expect(one.publicKey.id != other.publicKey.id)
    }
}
