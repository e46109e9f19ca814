import Kernel
import Postgres
import Testing

@testable import Ledger

extension RandomHistory {
    /// What the database and the reference say differently about members. Each difference is an issue of the test.
    func differences(of members: [Member.ID], alsoByAPI isThroughAPI: Bool = false) async throws -> [String] {
        var found: [String] = []
        let balances = try await self.balances(of: members)
        let lots = try await self.lots(of: members)
        let stickers = try await self.stickers(of: members)
        for member in members {
            let wallet = self.reference.wallets[member] ?? ReferenceLedger.Wallet()
            let inLots = wallet.lots.reduce(0) { $0 + $1.remaining }
            let expected = [inLots, wallet.pending, wallet.held, wallet.debt, Int64(wallet.feed.count)]
            if balances[member] ?? [] != expected {
                found.append("\(member): \(balances[member] ?? []), by the reference \(expected)")
            }
            let expectedLots = Set(
                wallet.lots.filter { $0.remaining > 0 }.map {
                    "\($0.number) \($0.lotClass) \($0.expiresAt) \($0.remaining)"
                })
            let difference = expectedLots.symmetricDifference(lots[member] ?? [])
            if !difference.isEmpty { found.append("\(member): lots \(difference.sorted())") }
            let expectedStickers = wallet.stickers.filter { $0.value > 0 }
            if stickers[member] ?? [:] != expectedStickers {
                found.append("\(member): stickers \(stickers[member] ?? [:]), by the reference \(expectedStickers)")
            }
            if isThroughAPI { found += try await self.differencesByAPI(of: member) }
        }
        for difference in found { Issue.record("\(difference)") }
        return found
    }

    /// The same through what the service's routes read.
    private func differencesByAPI(of member: Member.ID) async throws -> [String] {
        let balance = try await self.books.account.balance(of: member)
        let wallet = self.reference.wallets[member] ?? ReferenceLedger.Wallet()
        let shown = [balance.available, balance.pending, balance.held, balance.debt].map(\.amount)
        let expected = [
            self.reference.available(member, at: self.now), wallet.pending, wallet.held, wallet.debt,
        ]
        let days = Dictionary(
            uniqueKeysWithValues: try await self.books.account.lots(of: member).map { ($0.expiresAt, $0.points.amount) }
        )
        var found = shown == expected ? [] : ["\(member) is shown \(shown), by the reference \(expected)"]
        let expectedDays = self.reference.days(member, at: self.now)
        if days != expectedDays { found.append("\(member) is shown \(days), by the reference \(expectedDays)") }
        if balance.expiringNext?.expiresAt != expectedDays.keys.min() {
            found.append("\(member) is shown \(balance.expiringNext.debugDescription) as what expires next")
        }
        return found
    }

    /// Every line of everybody's feed, with the balances after it.
    func differencesInFeeds() async throws -> [String] {
        let rows = try await self.books.owner.query(
            """
            select member_id, kind::text as kind, available_after, pending_after, held_after, debt_after
            from ledger.transaction order by member_id, version
            """)
        var feeds: [Member.ID: [ReferenceLedger.Line]] = [:]
        for row in rows {
            feeds[try row.value("member_id"), default: []].append(
                ReferenceLedger.Line(
                    kind: try row.value("kind"), available: try row.value("available_after"),
                    pending: try row.value("pending_after"), held: try row.value("held_after"),
                    debt: try row.value("debt_after")))
        }
        let found = self.members.compactMap { member -> String? in
            let expected = self.reference.wallets[member]?.feed ?? []
            let feed = feeds[member] ?? []
            guard feed != expected else { return nil }
            let place = zip(feed, expected).enumerated().first { $0.element.0 != $0.element.1 }
            return "\(member): line \(place?.offset ?? min(feed.count, expected.count)) of the feed differs"
        }
        for difference in found { Issue.record("\(difference)") }
        return found
    }

    private func balances(of members: [Member.ID]) async throws -> [Member.ID: [Int64]] {
        let rows = try await self.books.owner.query(
            """
            select member_id, available, pending, held, debt, version from ledger.member
            where member_id = any (\(members))
            """)
        return try rows.reduce(into: [:]) { found, row in
            found[try row.value("member_id")] = try ["available", "pending", "held", "debt", "version"].map {
                try row.value($0)
            }
        }
    }

    private func lots(of members: [Member.ID]) async throws -> [Member.ID: Set<String>] {
        let rows = try await self.books.owner.query(
            """
            select member_id, number, lot_class, expires_at, remaining from ledger.lot
            where member_id = any (\(members)) and remaining > 0
            """)
        return try rows.reduce(into: [:]) { found, row in
            let (number, lotClass): (Int32, String) = (try row.value("number"), try row.value("lot_class"))
            let (day, points): (Timestamp, Int64) = (try row.value("expires_at"), try row.value("remaining"))
            found[try row.value("member_id"), default: []].insert("\(number) \(lotClass) \(day) \(points)")
        }
    }

    private func stickers(of members: [Member.ID]) async throws -> [Member.ID: [String: Int64]] {
        let rows = try await self.books.owner.query(
            "select member_id, campaign, balance from ledger.sticker where balance > 0 and member_id = any (\(members))"
        )
        return try rows.reduce(into: [:]) { found, row in
            found[try row.value("member_id"), default: [:]][try row.value("campaign")] = try row.value("balance")
        }
    }
}
