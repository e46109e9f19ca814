import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Metrics
import Postgres

/// Sends a member a code of six digits that confirms one action. The same id again gets the same answer and no second
/// message.
struct SendStepUp: Sendable {
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let vault: Vault
    let peppers: CodePeppers
    let policy: AuthPolicy
    let metrics: StepUpMetrics

    func callAsFunction(
        _ id: StepUp.ID, of member: Member.ID, _ subject: StepUpSubject, in transaction: borrowing Transaction
    ) async throws -> Result<RequestChallenge.Issued, StepUpRefusal> {
        let outcome = try await self.decide(id, of: member, subject, in: transaction)
        let metrics = self.metrics
        transaction.afterCommit {
            switch outcome {
            case .success: metrics.requested(nil)
            case .failure(let refusal): metrics.requested(refusal)
            }
        }
        return outcome.map { challenge in
            RequestChallenge.Issued(
                challenge: challenge.id, expiresAt: challenge.expiresAt,
                resendAt: challenge.resendAt(self.policy.challenge))
        }
    }

    private func decide(
        _ id: StepUp.ID, of member: Member.ID, _ subject: StepUpSubject, in transaction: borrowing Transaction
    ) async throws -> Result<CodeChallenge, StepUpRefusal> {
        let (now, store) = (self.clock.now, StepUpStore())
        guard let holder = try await store.lock(member, in: transaction) else { return .failure(.unknownMember) }
        let binding = try StepUpBinding(subject, of: member)
        if let sent = try await store.find(id, in: transaction) {
            guard sent.member == member, sent.binding == binding else { return .failure(.codeRefused) }
            return .success(sent.challenge)
        }
        if let refusal = subject.refusal(isActive: holder.isActive, isSpendingLocked: holder.isSpendingLocked) {
            return .failure(refusal)
        }
        let key = try self.vault.unwrap(holder.wrappedKey, of: member)
        let phone = try PhoneNumber(parsing: key.open(holder.sealedPhone, field: .phone))
        guard try await self.isAdmitted(member, prefix: phone.prefix, at: now, in: transaction) else {
            return .failure(.tooManyCodes)
        }
        let challenge = CodeChallenge(
            opening: Challenge.ID(id.raw), digits: .six, at: now, rules: self.policy.challenge)
        let origin = ChallengeStore.Origin(
            purpose: .stepUp, pepper: try await self.peppers.current(at: now, in: transaction),
            phoneIndex: holder.phoneIndex, sealedPhone: try self.vault.seal(phone), prefix: phone.prefix,
            networkIndex: nil, binding: binding)
        try await ChallengeStore().insert(challenge, from: origin, in: transaction)
        try await store.insert(
            id, of: member, sealedSubject: try self.vault.seal(subject, of: challenge.id), at: now, in: transaction)
        try await SMSStore().insert(
            reference: self.ids.uuid(), of: challenge.id, sending: challenge.sends, at: now, in: transaction)
        try await self.bus.send(SendCode(challenge: challenge.id, sending: challenge.sends), in: transaction)
        return .success(challenge)
    }

    /// The member's quotas, and what holds for every message.
    private func isAdmitted(
        _ member: Member.ID, prefix: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let recent = try await StepUpStore().recent(member, at: now, in: transaction)
        guard self.policy.stepUps.refusedUntil(recent, at: now) == nil else { return false }
        let store = AdmissionStore()
        if let until = try await store.pausedUntil(prefix: prefix, in: transaction), until > now { return false }
        return try await store.spendMessage(budget: self.policy.quotas.messagesPerDay, at: now, in: transaction)
    }
}

extension StepUpSubject {
    /// Why a member may not do this now; nil when they may.
    func refusal(isActive: Bool, isSpendingLocked: Bool) -> StepUpRefusal? {
        guard self.movesValue else { return nil }
        if !isActive { return .notActive }
        return isSpendingLocked ? .spendingLocked : nil
    }
}

/// What became of step-up codes that were asked for and presented.
struct StepUpMetrics: Sendable {
    private static let refusals: [StepUpRefusal] = [
        .codeRefused, .tooManyCodes, .unknownMember, .spendingLocked, .notActive,
    ]

    private let requests: [StepUpRefusal?: Counter]
    private let checks: [StepUpRefusal?: Counter]

    init() {
        self.requests = Self.counters("auth_step_ups_requested_total", success: "sent")
        self.checks = Self.counters("auth_step_ups_checked_total", success: "confirmed")
    }

    private static func counters(_ label: String, success: String) -> [StepUpRefusal?: Counter] {
        let keys = [StepUpRefusal?.none] + Self.refusals.map { .some($0) }
        return Dictionary(
            uniqueKeysWithValues: keys.map { key in
                (key, Counter(label: label, dimensions: [("outcome", key?.rawValue ?? success)]))
            })
    }

    func requested(_ refusal: StepUpRefusal?) { self.requests[refusal]?.increment() }
    func checked(_ refusal: StepUpRefusal?) { self.checks[refusal]?.increment() }
}
