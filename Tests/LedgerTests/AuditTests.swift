import Contracts
import Kernel
import Metrics
import Postgres
import Telemetry
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct AuditTests {
    @Test func `an audit is kept and published, also by processes that did not make it`() async throws {
        let books = try await Books.small()
        try await books.seal()
        let maker = PrometheusMetrics()
        let made = try await withMetricsFactory(maker) { try await books.auditor()() }
        #expect(made == [])
        #expect(maker.text().contains(#"ledger_invariant_broken{invariant="I10"} 0"#))
        #expect(maker.text().contains(#"ledger_invariant_broken{invariant="I1"} 0"#))

        try await books.tamper("update ledger.posting set rule = 'another' where rule is not null")
        let other = PrometheusMetrics()
        #expect(try await withMetricsFactory(other) { try await books.auditor()() } == nil)
        #expect(other.text().contains(#"ledger_invariant_broken{invariant="I10"} 0"#))

        books.clock.advance(by: .seconds(3600))
        let later = PrometheusMetrics()
        let findings = try await withMetricsFactory(later) { try await books.auditor()() }
        #expect(findings?.map(\.invariant) == [.sealsRecompute])
        #expect(later.text().contains(#"ledger_invariant_broken{invariant="I10"} 1"#))
        #expect(later.text().contains(#"ledger_invariant_broken{invariant="I9"} 0"#))
        let stamp = "ledger_audit_finished_timestamp_seconds \(books.clock.now.secondsSince1970)"
        #expect(later.text().contains(stamp))
        #expect(try await books.count("select count(*) from ledger.audit") == 2)
        #expect(try await AuditStore().last(on: books.database)?.findings == findings)
    }

    @Test func `an audit that found something is repeated soon`() async throws {
        let books = try await Books.small()
        try await books.tamper("update ledger.member set available = available + 1")
        let audit = books.auditor()
        #expect(try await audit()?.isEmpty == false)
        books.clock.advance(by: AuditBooks.recheckInterval - .seconds(1))
        #expect(try await audit() == nil)
        try await books.tamper("update ledger.member set available = available - 1")
        books.clock.advance(by: .seconds(1))
        #expect(try await audit() == [])
        books.clock.advance(by: AuditBooks.recheckInterval)
        #expect(try await audit() == nil)
    }

    @Test func `of many processes one audits`() async throws {
        let books = try await Books()
        try await books.owner.transaction { transaction in
            // Another process is at it.
            let isTaken = try await AuditStore().take(in: transaction)
            let findings = try await books.auditor()()
            #expect(isTaken)
            #expect(findings == nil)
        }
        #expect(try await books.auditor()() == [])
    }

    @Test func `the age of what is not sealed is a metric`() async throws {
        let books = try await Books()
        let metrics = PrometheusMetrics()
        try await withMetricsFactory(metrics) {
            let sealer = try books.sealer()
            try await books.earn(1, for: books.member())
            try await books.database.transaction { transaction in
                let receipt = try books.receipt(of: books.member(), [.of(1)])
                _ = try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction)
                try await books.earn(1, for: books.member())
                books.clock.advance(by: .seconds(90))
                try await sealer()
            }
            #expect(metrics.text().contains("ledger_unsealed_age_seconds 90"))
            try await books.seal()
            try await sealer()
            #expect(metrics.text().contains("ledger_unsealed_age_seconds 0"))
        }
    }
}
