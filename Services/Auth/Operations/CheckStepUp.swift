import Contracts
import Kernel
import Postgres

/// Compares what a member typed with the code that confirms one action, after the attempt has been counted and committed.
struct CheckStepUp: Sendable {
    let database: Database
    let clock: any WallClock
    let peppers: CodePeppers
    let policy: AuthPolicy
    let metrics: StepUpMetrics

    /// Whether the code is right for this very subject. Does not use it up: the caller does by ``use(_:in:)``, in the
    /// transaction of what the code allows.
    func callAsFunction(
        _ id: StepUp.ID, of member: Member.ID, _ subject: StepUpSubject, code answer: String
    ) async throws -> Bool {
        let now = self.clock.now
        let charged = try await StepUpStore().chargeAttempt(
            id, of: member, rules: self.policy.challenge, at: now, on: self.database)
        guard let charged,
            let code = try await self.peppers.code(
                of: Challenge.ID(id.raw), charged.derivation, on: self.database)
        else {
            self.metrics.checked(.codeRefused)
            return false
        }
        guard code.matches(answer), try StepUpBinding(subject, of: member) == charged.binding else {
            try await AdmissionStore().recordCheck(isRight: false, at: now, on: self.database)
            self.metrics.checked(.codeRefused)
            return false
        }
        return true
    }

    /// Uses a right code up; false when it was used before.
    func use(_ id: StepUp.ID, in transaction: borrowing Transaction) async throws -> Bool {
        guard try await StepUpStore().use(id, at: self.clock.now, in: transaction) else { return false }
        try await AdmissionStore().recordCheck(isRight: true, at: self.clock.now, on: transaction)
        let metrics = self.metrics
        transaction.afterCommit { metrics.checked(nil) }
        return true
    }

    /// The answer to a service. A right code stays right for the same subject, so that a repeated request goes on.
    func answer(_ call: ConfirmStepUp, in transaction: borrowing Transaction) async throws -> StepUpRefusal? {
        let standing = try await StandingStore().find(call.member, on: transaction)
        guard let standing else { return .unknownMember }
        guard try await self(call.id, of: call.member, call.subject, code: call.code) else { return .codeRefused }
        // What was allowed when the code was asked for may have been locked since.
        let refusal = call.subject.refusal(
            isActive: standing.isActive, isSpendingLocked: standing.isSpendingLocked)
        if let refusal {
            self.metrics.checked(refusal)
            return refusal
        }
        _ = try await self.use(call.id, in: transaction)
        return nil
    }
}
