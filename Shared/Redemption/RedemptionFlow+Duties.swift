internal import Contracts
internal import JobQueue
public import Kernel
internal import Logging
internal import Metrics
internal import Postgres

// What is done by nobody's will. Each duty begins by writing that it is begun and when it is to be begun again; what it
// finds out is written in a second transaction. A process that dies in between leaves a row that is due a little later.

extension RedemptionFlow {
    /// How many duties follow each other without a pause: more than any way through the states has.
    private static let dutiesMax = 16

    /// Does what is due of a redemption, and what becomes due by that.
    ///
    /// - Returns: how long it is until the next duty is due; nil when nothing happens by itself any more.
    @discardableResult
    public func advance(_ id: RedemptionRecord.ID, of member: Member.ID) async throws -> Duration? {
        for _ in 0..<Self.dutiesMax {
            guard let record = try await self.store.find(id, of: member, in: self.database), let duty = record.duty,
                let due = record.dueAt
            else { return nil }
            let now = self.clock.now
            guard due <= now else { return due - now }
            guard try await self.perform(duty, of: record) else { return nil }
        }
        return nil
    }

    /// Wakes what should have been done a minute ago: its job was lost to the dead letters, or the clock was set.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func sweep(overdue: Duration = .seconds(60), limit: Int = 500) async throws -> Int {
        let late = try await self.store.due(before: self.clock.now - overdue, limit: limit, in: self.database)
        self.metrics.overdue.record(late.count)
        guard !late.isEmpty else { return 0 }
        try await self.database.transaction { transaction in
            for record in late { try await self.wake(record, .zero, transaction) }
        }
        self.metrics.swept.increment(by: late.count)
        return late.count
    }

    /// - Returns: whether to look at once what is to be done next.
    private func perform(_ duty: RedemptionDuty, of record: RedemptionRecord) async throws -> Bool {
        switch duty {
        case .lapse: try await self.lapse(record)
        case .reserve: try await self.retrying(record) { try await self.place($0) != nil }
        case .submit: try await self.submit(record)
        case .inquire: try await self.inquire(record)
        case .capture: try await self.retrying(record) { try await self.capture($0) }
        case .settle: try await self.retrying(record) { try await self.settle($0) }
        case .giveBack: try await self.retrying(record) { try await self.giveBack($0) }
        }
    }

    private func lapse(_ record: RedemptionRecord) async throws -> Bool {
        try await self.change(record.id, of: record.member) { current, now in
            guard current.hasSamePlace(as: record), now >= current.quotedUntil else { return nil }
            return current.moved(to: .expired, at: now, due: nil, reason: "quote-expired")
        }
        return false
    }

    /// A duty in the ledger, which answers the same however often it is asked.
    private func retrying(
        _ record: RedemptionRecord, _ duty: (RedemptionRecord) async throws -> Bool
    ) async throws -> Bool {
        do {
            return try await duty(record)
        } catch RedemptionRefusal.hold {
            // The member hears of it when the member asks; it is written.
            return true
        } catch let error as CallError {
            Logger.current.warning(
                "The ledger did not answer a redemption in time", metadata: ["redemption.error": "\(error)"])
            return false
        }
    }

    // MARK: The ledger

    /// Asks for the hold; nil when somebody else is at it.
    func place(_ record: RedemptionRecord) async throws -> RedemptionRecord? {
        guard let begun = try await self.begin(record, pace: self.policy.books) else { return nil }
        let call = PlaceHold(
            hold: begun.hold, member: begun.member, points: begun.points, purpose: begun.purpose,
            expiresInSeconds: self.policy.holdLifetime.components.seconds)
        let reply: PlaceHold.Reply
        do {
            reply = try await self.calls.placeHold(call)
        } catch let error as CallError {
            Logger.current.warning("A hold was not answered in time", metadata: ["redemption.error": "\(error)"])
            return begun
        }
        let after = try await self.change(begun.id, of: begun.member) { current, now in
            guard current.state == .reserving else { return nil }
            switch reply {
            case .placed: return current.moved(to: .reserved, at: now, due: now + current.pause)
            case .refused(let refusal, _):
                return current.moved(to: .rejected, at: now, due: now, reason: refusal.rawValue)
            }
        }
        if case .refused(let refusal, let available) = reply {
            throw RedemptionRefusal.hold(refusal, available: available)
        }
        return after
    }

    private func capture(_ record: RedemptionRecord) async throws -> Bool {
        guard let begun = try await self.begin(record, pace: self.policy.books) else { return false }
        let outcome = try await self.calls.makeTransfer(self.fulfilment.capture(of: begun))
        try await self.change(begun.id, of: begun.member) { current, now in
            guard current.duty == .capture else { return nil }
            switch outcome {
            case .done(let result):
                var captured = current
                (captured.capturedBy, captured.tries) = (result.transaction, 0)
                captured.dueAt = self.due(in: current.state, isCaptured: true, at: now)
                return captured
            case .refused(let refusal):
                return current.moved(to: .manual, at: now, due: nil, reason: refusal.rawValue)
            }
        }
        return true
    }

    private func settle(_ record: RedemptionRecord) async throws -> Bool {
        guard let begun = try await self.begin(record, pace: self.policy.books) else { return false }
        var refused: TransferRefusal?
        if let transfer = self.fulfilment.settlement(of: begun),
            case .refused(let refusal) = try await self.calls.makeTransfer(transfer)
        {
            refused = refusal
        }
        try await self.change(begun.id, of: begun.member) { current, now in
            guard current.duty == .settle else { return nil }
            return current.moved(
                to: refused == nil ? .settled : .manual, at: now, due: nil, reason: refused?.rawValue)
        }
        return true
    }

    /// Points that were taken come back by the mirror of the capture, points that are held by ending the hold.
    private func giveBack(_ record: RedemptionRecord) async throws -> Bool {
        guard let begun = try await self.begin(record, pace: self.policy.books) else { return false }
        if let captured = begun.capturedBy {
            let outcome = try await self.calls.makeTransfer(
                .reverse(ReverseTransaction(id: begun.undo, member: begun.member, reverses: captured)))
            if case .refused(let refusal) = outcome { return try await self.end(begun, refused: refusal.rawValue) }
            return try await self.end(begun, refused: nil)
        }
        switch try await self.calls.voidHold(VoidHold(hold: begun.hold, member: begun.member)) {
        case .voided, .refused(.unknownHold): return try await self.end(begun, refused: nil)
        case .refused(.holdCaptured): return try await self.findCapture(of: begun)
        case .refused(let refusal): return try await self.end(begun, refused: refusal.rawValue)
        }
    }

    /// The points were taken by somebody who could not write it down any more: the same capture again says by which
    /// transaction, which is then undone.
    private func findCapture(of record: RedemptionRecord) async throws -> Bool {
        guard case .done(let result) = try await self.calls.makeTransfer(self.fulfilment.capture(of: record)) else {
            return try await self.end(record, refused: HoldRefusal.holdCaptured.rawValue)
        }
        try await self.change(record.id, of: record.member) { current, now in
            guard current.duty == .giveBack, current.capturedBy == nil else { return nil }
            var found = current
            (found.capturedBy, found.tries, found.dueAt) = (result.transaction, 0, now)
            return found
        }
        return true
    }

    private func end(_ record: RedemptionRecord, refused: String?) async throws -> Bool {
        try await self.change(record.id, of: record.member) { current, now in
            guard current.duty == .giveBack else { return nil }
            var ended = current.moved(
                to: refused == nil ? .reversed : .manual, at: now, due: nil, reason: refused)
            if refused == nil { ended.capturedBy = nil }
            return ended
        }
        return true
    }

    // MARK: The other side

    private func submit(_ record: RedemptionRecord) async throws -> Bool {
        let begun = try await self.change(record.id, of: record.member) { current, now in
            guard current.hasSamePlace(as: record) else { return nil }
            return current.moved(to: .submitted, at: now, due: now + self.policy.silence.delay(after: 0))
        }
        // Somebody else has submitted it, or the member has taken it back.
        guard begun.state == .submitted, begun.step == record.step + 1 else { return true }
        return try await self.hear(try await self.answer { try await self.fulfilment.submit(begun) }, of: begun)
    }

    private func inquire(_ record: RedemptionRecord) async throws -> Bool {
        let pace = record.state == .accepted ? self.policy.crediting : self.policy.silence
        guard let pace else { return false }
        if let patience = pace.patience, self.clock.now - record.since >= patience {
            try await self.change(record.id, of: record.member) { current, now in
                guard current.hasSamePlace(as: record), current.state.nexts.contains(.manual) else { return nil }
                return current.moved(to: .manual, at: now, due: nil, reason: "no-answer")
            }
            return false
        }
        guard let begun = try await self.begin(record, pace: pace) else { return true }
        var answer = try await self.answer { try await self.fulfilment.inquire(begun) }
        if answer == .notFound {
            // It is one order however often it is sent, so sending what was lost is safe. What was accepted and is not
            // known any more is another matter: its points are taken.
            guard begun.capturedBy == nil else { return false }
            answer = try await self.answer { try await self.fulfilment.submit(begun) }
        }
        return try await self.hear(answer, of: begun)
    }

    /// Silence, whatever its kind, says nothing about what was done.
    private func answer(_ ask: () async throws -> FulfilmentAnswer) async throws -> FulfilmentAnswer {
        do {
            return try await ask()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            Logger.current.warning(
                "The other side of a redemption did not answer", metadata: ["redemption.error": "\(type(of: error))"])
            return .unknown(reason: "no-answer")
        }
    }

    private func hear(_ answer: FulfilmentAnswer, of record: RedemptionRecord) async throws -> Bool {
        do {
            let after = try await self.database.transaction { transaction in
                try await self.hear(answer, about: record.id, of: record.member, in: transaction)
            }
            return after?.state != record.state
        } catch let contradiction as Contradiction {
            Logger.current.error(
                "The other side contradicts what is written",
                metadata: ["redemption.id": "\(record.id)", "redemption.state": "\(contradiction.state)"])
            self.metrics.contradictions.increment()
            return false
        }
    }
}
