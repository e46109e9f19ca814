import JobQueue
import Kernel
import Postgres

/// Sends the code of an open challenge once more: the same code, with the same count of attempts, so that a message
/// that was merely late still works and nobody gains a guess.
struct ResendCode: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let policy: AuthPolicy
    let metrics: AuthMetrics

    enum Refusal: Error, Hashable {
        /// Unknown, verified, lapsed or out of sendings: not told apart.
        case closed
        case tooEarly(until: Timestamp)
        case quota(QuotaRefusal)
    }

    /// - Parameter member: whose step-up it must be; nil for a challenge that is no step-up.
    /// - Throws: ``Refusal``, with nothing changed.
    func callAsFunction(_ id: Challenge.ID, of member: Member.ID? = nil) async throws -> RequestChallenge.Issued {
        let now = self.clock.now
        let rules = self.policy.challenge
        let challenge = try await self.database.transaction { transaction in
            let store = ChallengeStore()
            guard let locked = try await store.lock(id, of: member, in: transaction) else { throw Refusal.closed }
            let next: CodeChallenge
            do throws(CodeChallenge.ResendRefusal) {
                next = try locked.challenge.resent(at: now, rules: rules)
            } catch .closed {
                throw Refusal.closed
            } catch .tooEarly(let until) {
                throw Refusal.tooEarly(until: until)
            }
            try await self.spend(locked, at: now, in: transaction)
            try await store.saveResend(next, in: transaction)
            try await SMSStore().insert(
                reference: self.ids.uuid(), of: id, sending: next.sends, at: now, in: transaction)
            try await self.bus.send(SendCode(challenge: id, sending: next.sends), in: transaction)
            return next
        }
        self.metrics.codeResent()
        return RequestChallenge.Issued(
            challenge: id, expiresAt: challenge.expiresAt, resendAt: challenge.resendAt(rules))
    }

    /// A resend costs a message like a new challenge does; that of a decoy costs none, but looks the same.
    private func spend(
        _ locked: ChallengeStore.Locked, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        let store = AdmissionStore()
        if let until = try await store.pausedUntil(prefix: locked.prefix, in: transaction), until > now {
            throw Refusal.quota(QuotaRefusal(quota: .pumping, until: until))
        }
        let budget = self.policy.quotas.messagesPerDay
        guard
            try await store.spendMessage(budget: budget, cost: locked.isDecoy ? 0 : 1, at: now, in: transaction)
        else {
            throw Refusal.quota(QuotaRefusal(quota: .messagesDay, until: now.startOfNextDay))
        }
    }
}
