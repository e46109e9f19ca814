public import Kernel
internal import Logging
internal import Metrics
internal import Postgres

extension Bus {
    /// Asks another service and waits for its answer. Not in a transaction: the other side could not see it.
    ///
    /// A durable call is carried out even when nobody waits any more, and so must be safe to ask again.
    /// - Parameter deadline: how long to wait; by default as long as the bus was made to.
    /// - Throws: ``CallError``; ``EncryptionError``; `DatabaseError` when the question could not be put; `CancellationError`.
    public func call<C: Call>(_ call: C, deadline: Duration? = nil) async throws -> C.Reply {
        let started = ContinuousClock.now
        do {
            let end = started.advanced(by: deadline ?? self.callPatience)
            let reply = try await self.middleware.send([call], to: C.queue) {
                try await Leash(end).run { try await self.ask(call, until: end) }
            }
            self.metrics.callsAnswered.increment()
            self.metrics.callRoundTrip.recordSeconds((ContinuousClock.now - started).inSeconds)
            return reply
        } catch is DeadlineExceeded {
            self.metrics.callsExpired.increment()
            throw CallError.deadlineExceeded
        } catch {
            self.metrics.callsFailed.increment()
            throw error
        }
    }

    private func ask<C: Call>(_ call: C, until end: ContinuousClock.Instant) async throws -> C.Reply {
        let worker = try await self.whenJoined().worker
        return try await self.learning(C.queue) { queue in
            try await self.ask(call, queue, at: worker, until: end)
        }
    }

    private func ask<C: Call>(
        _ call: C, _ queue: QueueEntry, at worker: Int32, until end: ContinuousClock.Instant
    ) async throws -> C.Reply {
        let payload = try self.cipher.payload(call, for: queue)
        var id: Int64 = 0
        let answer = try await self.calls.ask {
            // What is left of the caller's patience, so that the other side does not begin what nobody waits for.
            let patience = max(.zero, ContinuousClock.now.duration(to: end))
            let row = try await self.database.one(
                SendStatements.call(queue.number, payload, replyTo: worker, patience: patience, .current))
            self.doorbell.ring([(queue.number, C.queue.service)])
            self.answers.ring(.change)
            id = try row.value(at: 0, as: Int64.self)
            return id
        }
        return try self.read(answer, to: id, isEncrypted: queue.isEncrypted, as: C.self)
    }

    private func read<C: Call>(
        _ answer: PendingCalls.Answer, to id: Int64, isEncrypted: Bool, as type: C.Type
    ) throws -> C.Reply {
        switch answer {
        case .body(let bytes):
            guard let text = try? self.cipher.open(bytes, .answer(to: id), isEncrypted: isEncrypted),
                let reply = try? MessageCoder.decode(C.Reply.self, text)
            else { throw CallError.unreadableReply }
            return reply
        case .failure(let bytes):
            let record = try? MessageCoder.decode([String: String].self, bytes)
            throw CallError.failed(code: record?["code"] ?? "unknown")
        }
    }

    /// A process that has just started has no number yet to be answered at.
    private func whenJoined() async throws -> Membership.Joined {
        while true {
            if let joined = self.membership.joined { return joined }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
    }

    /// Fetches answers when rung, and every quarter of a second while somebody waits, in case a bell was lost.
    func fetchAnswers() async {
        while !Task.isCancelled {
            let limit: Duration? = self.calls.isEmpty ? nil : .milliseconds(250)
            let reasons = await self.answers.wait(upTo: limit, isIdle: true)
            // A new question: from now on there is a limit.
            guard reasons != .change else { continue }
            guard !Task.isCancelled, !self.calls.isEmpty, let worker = self.membership.joined?.worker else { continue }
            do {
                for row in try await self.database.query(LifeStatements.collect(worker)) {
                    let body = try row.value(at: 2, as: JSONBytes.self).bytes
                    let isAnswered = try row.value(at: 1, as: Int16.self) == 1
                    self.calls.arrived(isAnswered ? .body(body) : .failure(body), for: try row.value(at: 0))
                }
            } catch {
                self.logger.debug("Could not fetch answers", metadata: ["error": "\(Failure(error).code)"])
            }
        }
    }
}
