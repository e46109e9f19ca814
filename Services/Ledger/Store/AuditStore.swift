internal import Kernel
internal import Postgres

/// What the audits found.
struct AuditStore: Sendable {
    struct Audit: Hashable, Sendable {
        let startedAt: Timestamp
        let finishedAt: Timestamp
        let findings: [Finding]
    }

    /// Takes the right to audit until the end of the transaction; false when another process has it.
    func take(in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.one("select pg_try_advisory_xact_lock(hashtext('ledger.audit'))").decode(Bool.self)
    }

    /// The newest one; nil when there was none.
    func last<Runner: QueryRunner & ~Copyable>(on runner: borrowing Runner) async throws -> Audit? {
        try await runner.first("select started_at, finished_at, findings from ledger.audit order by id desc limit 1")
            .map { row in
                Audit(
                    startedAt: try row.value("started_at"), finishedAt: try row.value("finished_at"),
                    findings: try row.value("findings", as: JSONB<[Finding]>.self).value)
            }
    }

    func record<Runner: QueryRunner & ~Copyable>(_ audit: Audit, on runner: borrowing Runner) async throws {
        try await runner.execute(
            "select ledger.record_audit(\(audit.startedAt), \(audit.finishedAt), \(JSONB(audit.findings)))")
    }
}
