internal import Contracts
public import Kernel
internal import Metrics
public import Postgres

// How a row is changed: locked, decided about, written, and its next job sent, in one transaction.

extension RedemptionFlow {
    /// What the other side said by itself, such as a webhook, or what a colleague found out about a redemption that waits
    /// for a person. What is due by it is done by the service's job.
    ///
    /// - Returns: the redemption as it is now; nil when there is none of this member.
    /// - Throws: ``Contradiction`` when it cannot be true; nothing is changed then.
    @discardableResult
    public func hear(
        _ answer: FulfilmentAnswer, about id: RedemptionRecord.ID, of member: Member.ID,
        in transaction: borrowing Transaction
    ) async throws -> RedemptionRecord? {
        guard let record = try await self.store.lock(id, of: member, in: transaction) else { return nil }
        let now = self.clock.now
        guard let state = try record.next(after: answer) else { return record }
        var next = record.moved(
            to: state, at: now, due: self.due(in: state, isCaptured: record.capturedBy != nil, at: now),
            reason: answer.reason)
        next.reference = answer.reference ?? record.reference
        try await self.write(next, over: record, at: now, in: transaction)
        return next
    }

    /// Changes a redemption as the body says; nil leaves it as it is.
    ///
    /// - Returns: the redemption as it is now.
    @discardableResult
    func change(
        _ id: RedemptionRecord.ID, of member: Member.ID,
        _ body: (RedemptionRecord, Timestamp) throws -> RedemptionRecord?
    ) async throws -> RedemptionRecord {
        try await self.database.transaction { transaction in
            guard let record = try await self.store.lock(id, of: member, in: transaction) else {
                throw RedemptionRefusal.notFound
            }
            let now = self.clock.now
            guard let next = try body(record, now) else { return record }
            try await self.write(next, over: record, at: now, in: transaction)
            return next
        }
    }

    /// Writes that a duty is begun, and when it is begun again if nothing is heard of it; nil when it is not to be done
    /// any more, or somebody else has begun it.
    func begin(_ record: RedemptionRecord, pace: RedemptionPolicy.Pace) async throws -> RedemptionRecord? {
        var begun: RedemptionRecord?
        try await self.change(record.id, of: record.member) { current, now in
            guard current.hasSamePlace(as: record) else { return nil }
            var next = current
            next.dueAt = now + pace.delay(after: current.tries)
            next.tries += 1
            begun = next
            return next
        }
        return begun
    }

    private func write(
        _ next: RedemptionRecord, over record: RedemptionRecord, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await self.store.write(next, in: transaction)
        if next.state != record.state {
            try await self.fulfilment.moved(next, from: record.state, in: transaction)
            self.metrics.moved(to: next.state)
        }
        // The job that was sent for the same moment serves still.
        if let due = next.dueAt, due != record.dueAt { try await self.wake(next, due - now, transaction) }
    }

    /// When the duty of a state is to be begun.
    func due(in state: RedemptionState, isCaptured: Bool, at now: Timestamp) -> Timestamp? {
        switch state {
        case .accepted where isCaptured: self.policy.crediting.map { now + $0.delay(after: 0) }
        case .accepted, .credited, .rejected, .cancelling, .reserving: now
        case .unknown, .submitted: now + self.policy.silence.delay(after: 0)
        case .quoted, .confirming, .reserved, .settled, .reversed, .expired, .manual: nil
        }
    }
}

extension RedemptionRecord {
    /// Whether nothing was begun or done since.
    func hasSamePlace(as other: Self) -> Bool {
        self.step == other.step && self.tries == other.tries && self.capturedBy == other.capturedBy
    }
}

/// How many steps were taken, by where they led.
struct RedemptionMetrics: Sendable {
    private let steps: [RedemptionState: Counter]
    let contradictions: Counter
    let swept: Counter
    /// How many the last sweep found overdue; its limit is the most.
    let overdue: Gauge

    init(service: ServiceName) {
        self.steps = Dictionary(
            uniqueKeysWithValues: RedemptionState.allCases.map { state in
                let dimensions = [("service", service.text), ("state", state.rawValue)]
                return (state, Counter(label: "redemption_steps_total", dimensions: dimensions))
            })
        self.contradictions = Counter(
            label: "redemption_contradictions_total", dimensions: [("service", service.text)])
        self.swept = Counter(label: "redemption_swept_total", dimensions: [("service", service.text)])
        self.overdue = Gauge(label: "redemption_overdue", dimensions: [("service", service.text)])
    }

    func moved(to state: RedemptionState) {
        self.steps[state]?.increment()
    }
}
