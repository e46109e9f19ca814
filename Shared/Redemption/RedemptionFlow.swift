public import Contracts
public import JobQueue
public import Kernel
internal import Logging
public import Postgres

/// The way of points into something else, the same for exchange, donation and certificate.
///
/// Whatever leaves this process is written down first, and is safe to be asked for twice: a crash at any point is made
/// good by looking at the row, which says what is to be done next and when. A job of the service's own queue does it
/// (``RedemptionDrive``), sent in the transaction that writes the row; ``sweep()`` finds what has lost its job.
public struct RedemptionFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let policy: RedemptionPolicy
    let calls: RedemptionCalls
    let fulfilment: any Fulfilment
    let metrics: RedemptionMetrics
    /// Sends the job that does the next duty, so long from now.
    let wake: @Sendable (RedemptionRecord, Duration, borrowing Transaction) async throws -> Void
    /// The rows.
    public let store: RedemptionStore

    /// - Parameters:
    ///   - schema: the service's, with the tables of this folder's README.
    ///   - drive: the service's command for duties.
    ///   - fulfilment: what the service does with the points.
    public init<Drive: RedemptionDrive>(
        schema: ServiceName, database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator,
        policy: RedemptionPolicy, calls: RedemptionCalls, drive: Drive.Type, fulfilment: any Fulfilment
    ) {
        (self.database, self.clock, self.ids, self.policy) = (database, clock, ids, policy)
        (self.calls, self.fulfilment) = (calls, fulfilment)
        self.metrics = RedemptionMetrics(service: schema)
        self.store = RedemptionStore(schema: schema)
        self.wake = { record, delay, transaction in
            try await bus.send(
                Drive(member: record.member, redemption: record.id), in: transaction,
                delay > .zero ? .delay(delay) : SendOptions())
        }
    }
}

// MARK: - What the member does

extension RedemptionFlow {
    /// Writes an offer down. Its limits, budgets and details are the caller's, in the same transaction.
    ///
    /// - Returns: the row, also when it was there already.
    public func open(_ new: NewRedemption, in transaction: borrowing Transaction) async throws -> RedemptionRecord {
        let now = self.clock.now
        let record = RedemptionRecord(
            id: new.id, member: new.member, purpose: new.purpose, points: new.points, worth: new.worth,
            match: new.match, target: new.target, pause: new.pause, quotedUntil: new.quotedUntil, createdAt: now,
            undo: self.ids.next(), state: .quoted, step: 0, tries: 0, since: now, dueAt: new.quotedUntil)
        if try await self.store.insert(record, in: transaction) {
            try await self.wake(record, new.quotedUntil - now, transaction)
            return record
        }
        guard let known = try await self.store.find(new.id, of: new.member, in: transaction) else {
            throw RedemptionRefusal.notFound
        }
        return known
    }

    /// Has auth send the code that confirms it. Which code that is, is written before auth is asked.
    ///
    /// - Parameter again: a new code instead of the one that was sent; how often that may be is auth's to say.
    /// - Throws: ``RedemptionRefusal``.
    public func requestCode(
        for id: RedemptionRecord.ID, of member: Member.ID, again: Bool = false
    ) async throws -> RequestStepUp.Reply {
        let record = try await self.change(id, of: member) { record, now in
            switch record.state {
            case .quoted, .confirming: break
            case .expired: throw RedemptionRefusal.expired
            default: throw RedemptionRefusal.tooLate(record.state)
            }
            guard now < record.quotedUntil else { throw RedemptionRefusal.expired }
            if record.state == .confirming, !again { return nil }
            var next = record
            if record.state == .quoted { next = record.moved(to: .confirming, at: now, due: record.quotedUntil) }
            next.stepUp = self.ids.next()
            return next
        }
        guard let stepUp = record.stepUp else { throw RedemptionRefusal.notAsked }
        let call = RequestStepUp(id: stepUp, member: member, subject: self.subject(of: record))
        let reply = try await self.asking { try await self.calls.requestStepUp(call) }
        if let refusal = reply.refusal { throw RedemptionRefusal.stepUp(refusal) }
        return reply
    }

    /// Confirms it by the code and sets the points aside. What follows is done by the service's own jobs.
    ///
    /// Confirming what is confirmed answers how it stands, whatever the code.
    /// - Throws: ``RedemptionRefusal``.
    public func confirm(
        _ id: RedemptionRecord.ID, of member: Member.ID, code: String
    ) async throws -> RedemptionRecord {
        let record = try await self.find(id, of: member)
        switch record.state {
        case .confirming: break
        case .quoted: throw RedemptionRefusal.notAsked
        case .expired: throw RedemptionRefusal.expired
        default: return try await self.reserve(record)
        }
        guard self.clock.now < record.quotedUntil else { throw RedemptionRefusal.expired }
        guard let stepUp = record.stepUp else { throw RedemptionRefusal.notAsked }
        let call = ConfirmStepUp(id: stepUp, member: member, subject: self.subject(of: record), code: code)
        let reply = try await self.asking { try await self.calls.confirmStepUp(call) }
        if let refusal = reply.refusal { throw RedemptionRefusal.stepUp(refusal) }
        return try await self.reserve(try await self.confirmed(record, from: .confirming))
    }

    /// Goes on without a code, for what the service lets pass without one; the points are set aside.
    ///
    /// - Throws: ``RedemptionRefusal``.
    public func begin(_ id: RedemptionRecord.ID, of member: Member.ID) async throws -> RedemptionRecord {
        let record = try await self.find(id, of: member)
        switch record.state {
        case .quoted: return try await self.reserve(try await self.confirmed(record, from: .quoted))
        case .expired: throw RedemptionRefusal.expired
        default: return try await self.reserve(record)
        }
    }

    /// Takes it back while the other side was not asked. Points that are set aside go back.
    ///
    /// - Throws: ``RedemptionRefusal``.
    public func takeBack(
        _ id: RedemptionRecord.ID, of member: Member.ID, reason: String = "taken-back"
    ) async throws -> RedemptionRecord {
        try await self.change(id, of: member) { record, now in
            switch record.state {
            case .quoted, .confirming: record.moved(to: .reversed, at: now, due: nil, reason: reason)
            case .reserved: record.moved(to: .cancelling, at: now, due: now, reason: reason)
            case .cancelling, .reversed: nil
            default: throw RedemptionRefusal.tooLate(record.state)
            }
        }
    }

    private func find(_ id: RedemptionRecord.ID, of member: Member.ID) async throws -> RedemptionRecord {
        guard let record = try await self.store.find(id, of: member, in: self.database) else {
            throw RedemptionRefusal.notFound
        }
        return record
    }

    /// From here on the points will be asked for, by this request or by a job.
    private func confirmed(
        _ record: RedemptionRecord, from state: RedemptionState
    ) async throws -> RedemptionRecord {
        try await self.change(record.id, of: record.member) { current, now in
            if current.state == .expired || now >= current.quotedUntil { throw RedemptionRefusal.expired }
            // A twin of this request was faster, or a new code was asked for meanwhile.
            guard current.state == state, current.stepUp == record.stepUp else { return nil }
            return current.moved(to: .reserving, at: now, due: now)
        }
    }

    /// Sets the points aside within the member's request, so that the member hears at once when there are too few.
    private func reserve(_ record: RedemptionRecord) async throws -> RedemptionRecord {
        guard record.state == .reserving else { return record }
        return try await self.place(record) ?? record
    }

    private func subject(of record: RedemptionRecord) -> StepUpSubject {
        StepUpSubject(
            action: self.policy.action, amount: record.points.amount, unit: .points, target: record.target)
    }

    /// A call whose silence is an answer: whether it was carried out cannot be said yet.
    private func asking<Reply>(_ call: () async throws -> Reply) async throws -> Reply {
        do {
            return try await call()
        } catch let error as CallError {
            Logger.current.warning("A step-up was not answered in time", metadata: ["redemption.error": "\(error)"])
            throw RedemptionRefusal.undecided
        }
    }
}
