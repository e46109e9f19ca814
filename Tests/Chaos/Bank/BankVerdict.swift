import EmbeddedPostgres
import Kernel
import Logging
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Turned once, by the test.
final class Switch: Sendable {
    private let state = NIOLockedValueBox(false)

    var isTurned: Bool { self.state.withLockedValue { $0 } }

    func turn() { self.state.withLockedValue { $0 = true } }
}

/// Holds what clients were told against the books, row by row.
struct BankVerdict {
    let system: TestSystem
    let bank: Bank
    let history: BankHistory

    private struct Booked: RowDecodable {
        let fiscal: Int64
        let points: Int64

        init(row: Row) throws {
            (self.fiscal, self.points) = (try row.value("fd"), try row.value("points"))
        }
    }

    private struct BookedHold: RowDecodable {
        let id: Hold.ID
        let state: String
        let points: Int64
        let captured: Int64
        /// The number of the transaction that settled it.
        let settled: Int64?

        init(row: Row) throws {
            (self.id, self.state) = (try row.value("hold_id"), try row.value("state"))
            (self.points, self.captured) = (try row.value("points"), try row.value("captured"))
            self.settled = try row.value("version")
        }
    }

    func check() async throws {
        let postgres = try #require(try await EmbeddedPostgres.running(in: self.system.folder))
        let reactor = try Reactor()
        let books = Database(
            DatabaseConfiguration(conninfo: postgres.conninfo, applicationName: "bank", pool: PoolLimits(size: 2)),
            reactor: reactor, logger: Logger(label: "bank") { _ in SwiftLogNoOpLogHandler() })
        // The run has tried what it is about.
        #expect(self.history.acknowledged >= 200)
        #expect(self.history.reads.count >= 100)
        let earned = try await self.checkReceipts(books)
        let holds = try await self.checkPayments(books)
        try await self.checkTotal(books, earned: earned, captured: holds.values.reduce(0) { $0 + $1.captured })
        try await self.checkReads(books, holds)
        await books.shutdown()
    }

    /// What was acknowledged is there once and as it was said; what was not is there whole or not at all.
    private func checkReceipts(_ books: Database) async throws -> Int64 {
        let rows: [Booked] = try await books.query(
            """
            select r.fd, coalesce(sum(p.amount), 0)::bigint as points
            from ledger.receipt as r
            left join ledger.posting as p on p.transaction_id = r.transaction_id and p.member_id = r.member_id
            where r.member_id = any (\(self.bank.customers.map(\.member)))
            group by r.receipt_id, r.fd
            """)
        let booked = Dictionary(grouping: rows, by: \.fiscal)
        for receipt in self.history.receipts {
            let found = booked[receipt.fiscal]?.map(\.points) ?? []
            switch receipt.answer {
            case .done(let points):
                #expect(points == receipt.expected)
                #expect(found == [points], "acknowledged receipt \(receipt.fiscal)")
            case .unknown:
                #expect(found.isEmpty || found == [receipt.expected], "unacknowledged receipt \(receipt.fiscal)")
            case .refused(let code):
                Issue.record("receipt \(receipt.fiscal) was refused: \(code)")
            }
        }
        let sent = Set(self.history.receipts.map(\.fiscal))
        #expect(sent.isSuperset(of: booked.keys), "receipts that nobody sent")
        return rows.reduce(0) { $0 + $1.points }
    }

    private func checkPayments(_ books: Database) async throws -> [Hold.ID: BookedHold] {
        let rows: [BookedHold] = try await books.query(
            """
            select h.hold_id, h.state::text as state, h.points, h.captured, t.version
            from ledger.hold as h
            left join ledger.transaction as t on t.id = h.settled_by and t.member_id = h.member_id
            where h.member_id = any (\(self.bank.customers.map(\.member)))
            """)
        let booked = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0) })
        for payment in self.history.payments {
            guard let found = booked[payment.hold] else {
                Issue.record("the acknowledged hold \(payment.hold) is not in the books")
                continue
            }
            #expect(found.points == payment.points)
            let asked = payment.taken ?? 0
            let whole = asked > 0 ? ("captured", asked) : ("voided", 0)
            switch payment.ended {
            case .done: #expect((found.state, found.captured) == whole, "acknowledged end of \(payment.hold)")
            case .unknown:
                let isWhole = (found.state, found.captured) == whole
                let isAbsent = found.captured == 0 && ["open", "expired"].contains(found.state)
                #expect(isWhole || isAbsent, "unacknowledged end of \(payment.hold): \(found)")
            case .refused(let code): Issue.record("the end of \(payment.hold) was refused: \(code)")
            }
        }
        return booked
    }

    /// What members have is what was earned less what was burnt, and nowhere below nothing.
    private func checkTotal(_ books: Database, earned: Int64, captured: Int64) async throws {
        let row = try await books.one(
            """
            select sum(available + pending + held - debt)::bigint as total, min(least(available, pending, held)) as least
            from ledger.member where member_id = any (\(self.bank.customers.map(\.member)))
            """)
        #expect(try row.value("total", as: Int64.self) == earned - captured)
        #expect(try row.value("least", as: Int64.self) >= 0)
        #expect(self.history.reads.allSatisfy { $0.available >= 0 && $0.held >= 0 })
    }

    private func checkReads(_ books: Database, _ holds: [Hold.ID: BookedHold]) async throws {
        for customer in self.bank.customers {
            let rows = try await books.query(
                """
                select available_after, held_after from ledger.transaction where member_id = \(customer.member)
                order by version
                """)
            let versions = try rows.map { row in
                (
                    available: try row.value("available_after", as: Int64.self),
                    held: try row.value("held_after", as: Int64.self)
                )
            }
            let writes = self.history.payments.compactMap {
                payment -> (version: Int, start: BankHistory.Moment, end: BankHistory.Moment)? in
                guard payment.member == customer.member, payment.ended.isDone,
                    let version = holds[payment.hold]?.settled
                else { return nil }
                return (Int(version), payment.start, payment.end)
            }
            let reads = self.history.reads.filter { $0.member == customer.member }
            let anomalies = ReadCheck(versions: versions, writes: writes).anomalies(reads)
            #expect(anomalies.isEmpty, "\(customer.member), \(reads.count) reads: \(anomalies.prefix(3))")
        }
    }
}
