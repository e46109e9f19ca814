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
    func callAsFunction(
        _ id: Challenge.ID, answer: String, for purpose: ChallengePurpose = .login
    ) async throws -> Bool {
        let now = self.clock.now
        let derivation = try await ChallengeStore().chargeAttempt(
            id, for: purpose, rules: self.policy.challenge, quotas: self.policy.quotas, at: now, on: self.database)
        guard let derivation, let code = try await self.peppers.code(of: id, derivation, on: self.database) else {
            self.metrics.codeChecked(.closed)
            return false
        }
        // Compared whatever it is, so that a decoy takes as long as a wrong answer.
        guard code.matches(answer), !derivation.isDecoy else {
            try await AdmissionStore().recordCheck(isRight: false, at: now, on: self.database)
            self.metrics.codeChecked(.wrong)
            return false
        }
        return true
    }
}
