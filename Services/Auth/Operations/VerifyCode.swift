import Kernel
import Postgres

/// Compares an answer with the code of a challenge, after the attempt has been counted and committed.
struct VerifyCode: Sendable {
    let database: Database
    let clock: any WallClock
    let peppers: CodePeppers
    let policy: AuthPolicy
    let metrics: AuthMetrics

    /// - Returns: false for a wrong answer and for whatever else there is to refuse; which it was stays here. True
    ///   does not use the challenge up: the caller does, in the transaction of what the code allows.
    func callAsFunction(_ id: Challenge.ID, answer: String) async throws -> Bool {
        let now = self.clock.now
        let derivation = try await ChallengeStore().chargeAttempt(
            id, rules: self.policy.challenge, quotas: self.policy.quotas, at: now, on: self.database)
        guard let derivation, let code = try await self.peppers.code(of: id, derivation, on: self.database) else {
            self.metrics.codeChecked(.closed)
            return false
        }
        guard code.matches(answer) else {
            try await AdmissionStore().recordCheck(isRight: false, at: now, on: self.database)
            self.metrics.codeChecked(.wrong)
            return false
        }
        return true
    }
}
