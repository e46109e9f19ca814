import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct FeedTests {
    @Test func `pages have no gap and no double while others write`() async throws {
        let books = try await Books()
        let member = books.member()
        for _ in 0..<10 { try await books.post(try (0..<6).map { _ in try books.receipt(of: member, [.of(1)]) }) }
        let atFirst = try await books.feed(member).map(\.id)

        let seen = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5 { try await books.earn(1, for: member) }
                }
            }
            var lines: [FeedLine] = []
            while true {
                let query = FeedQuery(before: lines.last?.id, limit: 7)
                let page = try await books.account.feed(of: member, query)
                lines += page
                if page.count < 7 { break }
            }
            try await group.waitForAll()
            return lines
        }

        let versions = seen.map(\.version)
        #expect(versions == Array((1...versions[0]).reversed()))
        #expect(seen.map(\.id).suffix(atFirst.count) == atFirst[...])
    }

    @Test func `the feed is filtered by direction and by when it happened`() async throws {
        let books = try await Books()
        let member = books.member()
        let march = books.clock.now
        try await books.post([
            try books.receipt(of: member, [.of(100)], effectiveAt: march - .seconds(5 * 86_400)),
            try books.receipt(of: member, [.of(50)], effectiveAt: march),
        ])
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 20, for: member)
        try await books.void(hold, of: member)

        func kinds(_ query: FeedQuery) async throws -> [TransactionKind] {
            try await books.account.feed(of: member, query).map(\.kind)
        }
        #expect(try await kinds(FeedQuery(limit: 10)) == [.void, .hold, .earn, .earn])
        #expect(try await kinds(FeedQuery(direction: .incoming, limit: 10)) == [.void, .earn, .earn])
        #expect(try await kinds(FeedQuery(direction: .outgoing, limit: 10)) == [.hold])
        #expect(try await kinds(FeedQuery(to: march, limit: 10)) == [.earn])
        #expect(try await kinds(FeedQuery(from: march, limit: 10)) == [.void, .hold, .earn])
        let day = FeedQuery(from: march - .seconds(5 * 86_400), to: march, limit: 10)
        #expect(try await books.account.feed(of: member, day).map(\.points.amount) == [100])
    }

    @Test func `what goes either way is shown with the way that it went`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.adjust(50, of: member)
        try await books.adjust(-20, of: member)
        func changes(_ direction: FeedDirection) async throws -> [Int64] {
            let lines = try await books.account.feed(of: member, FeedQuery(direction: direction, limit: 10))
            #expect(lines.allSatisfy { $0.direction == direction })
            return lines.map(\.change)
        }
        #expect(try await changes(.incoming) == [50, 100])
        #expect(try await changes(.outgoing) == [-20])
    }

    @Test func `a page of the feed reads the newest partitions only`() async throws {
        let books = try await Books()
        let member = books.member()
        for _ in 0..<6 {
            try await books.post(try (0..<5).map { _ in try books.receipt(of: member, [.of(1)]) })
            books.clock.advance(by: .seconds(31 * 86_400))
        }
        let plan = try await books.owner.query(
            """
            explain (analyze, costs off, timing off, summary off)
            select id from ledger.transaction
            where member_id = \(member) and id < 'ffffffff-ffff-ffff-ffff-ffffffffffff' order by id desc limit 5
            """
        ).map { try $0.value(at: 0, as: String.self) }
        #expect(
            plan.filter { $0.contains("Index") && $0.contains("actual rows=") && !$0.contains("rows=0") }.count == 1)
    }
}
