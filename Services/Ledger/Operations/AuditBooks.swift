internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// Verifies all of the books from time to time and tells the world: as metrics, in the log, and in a table.
///
/// Every process looks whether an audit is due; one of them makes it, and all publish what the last one found.
struct AuditBooks: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let interval: Duration
    private let logger: Logger
    private let verify: VerifyLedger
    private let store = AuditStore()
    private let broken: [Invariant: Gauge]
    private let finished = Gauge(label: "ledger_audit_finished_timestamp_seconds")
    private let took = Gauge(label: "ledger_audit_duration_seconds")

    /// How often a process looks whether an audit is due, and what the last one found.
    static let lookInterval = Duration.seconds(10)

    /// From an audit that found something to the next.
    static let recheckInterval = Duration.seconds(600)

    /// - Parameter interval: from the start of an audit to that of the next.
    init(database: Database, clock: any WallClock, interval: Duration, logger: Logger) {
        self.database = database
        self.clock = clock
        self.interval = interval
        self.logger = logger
        self.verify = VerifyLedger(database: database, clock: clock)
        self.broken = Dictionary(
            uniqueKeysWithValues: Invariant.allCases.map {
                ($0, Gauge(label: "ledger_invariant_broken", dimensions: [("invariant", $0.rawValue)]))
            })
    }

    /// - Returns: what was found, when an audit was made now.
    @discardableResult
    func callAsFunction() async throws -> [Finding]? {
        var last = try await self.store.last(on: self.database)
        var findings: [Finding]?
        if last.map(self.isOver) ?? true, let made = try await self.make() {
            try await self.store.record(made, on: self.database)
            last = made
            findings = made.findings
        }
        if let last { self.publish(last) }
        return findings
    }

    /// Whether the next audit is due. One that found something is soon repeated: it may pass, as what was overdue because
    /// nothing ran does, and until then somebody is being woken up.
    private func isOver(_ audit: AuditStore.Audit) -> Bool {
        let interval = audit.findings.isEmpty ? self.interval : min(self.interval, Self.recheckInterval)
        return audit.startedAt + interval <= self.clock.now
    }

    /// nil when another process is at it.
    private func make() async throws -> AuditStore.Audit? {
        let start = self.clock.now
        return try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            guard try await self.store.take(in: transaction) else { return nil }
            let findings = try await self.verify.findings(in: transaction)
            for finding in findings {
                self.logger.error(
                    "The books break an invariant",
                    metadata: [
                        "ledger.invariant": "\(finding.invariant.rawValue)", "ledger.row": "\(finding.row)",
                        "ledger.difference": "\(finding.difference)",
                    ])
            }
            return AuditStore.Audit(
                startedAt: start, finishedAt: max(start, self.clock.now), findings: findings)
        }
    }

    private func publish(_ audit: AuditStore.Audit) {
        let found = Set(audit.findings.map(\.invariant))
        for (invariant, gauge) in self.broken { gauge.record(found.contains(invariant) ? 1 : 0) }
        self.finished.record(audit.finishedAt.secondsSince1970)
        self.took.record(Double((audit.finishedAt - audit.startedAt) / .milliseconds(1)) / 1000)
    }
}
