import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import Web

/// Hands out a challenge for a phone and has its code sent, within the quotas. Does not look whether the phone is a
/// member's: what is not known here cannot show in the answer or in its time.
struct RequestChallenge: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let vault: Vault
    let peppers: CodePeppers
    let policy: AuthPolicy
    let metrics: AuthMetrics

    /// What the asking client is told of a challenge.
    struct Issued: Hashable, Sendable {
        let challenge: Challenge.ID
        let expiresAt: Timestamp
        /// nil when the code is not sent again.
        let resendAt: Timestamp?
    }

    /// - Parameter purpose: a login, or the proof of a phone that is to become a member's, which takes six digits.
    func callAsFunction(
        _ phone: PhoneNumber, from network: ClientNetwork, for purpose: ChallengePurpose = .login
    ) async throws -> Result<Issued, QuotaRefusal> {
        let now = self.clock.now
        let keys = AdmissionStore.Keys(
            phone: self.vault.index(phone), network: self.vault.index(network), prefix: phone.prefix)
        let outcome = try await self.database.transaction { transaction in
            // A refusal commits: the pause of a prefix that was found out here must stay.
            switch try await self.admit(keys, at: now, in: transaction) {
            case .failure(let refusal):
                return Result<CodeChallenge, QuotaRefusal>.failure(refusal)
            case .success(let digits):
                let length = purpose == .login ? digits : .six
                return .success(
                    try await self.open(length, for: phone, keys, purpose: purpose, at: now, in: transaction))
            }
        }
        switch outcome {
        case .success(let challenge): self.metrics.challengeIssued(challenge.digits)
        case .failure(let refusal): self.metrics.challengeRefused(refusal.quota)
        }
        return outcome.map(self.issued)
    }

    func issued(_ challenge: CodeChallenge) -> Issued {
        Issued(
            challenge: challenge.id, expiresAt: challenge.expiresAt, resendAt: challenge.resendAt(self.policy.challenge)
        )
    }

    /// Judges the request under the locks of its phone, network and prefix.
    /// - Returns: how many digits its code gets.
    private func admit(
        _ keys: AdmissionStore.Keys, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Result<CodeLength, QuotaRefusal> {
        let store = AdmissionStore()
        let restrictions = try await store.lock(keys, at: now, in: transaction)
        var recent = try await store.recent(keys, at: now, in: transaction)
        recent.prefixPausedUntil = restrictions.prefixUntil
        if let refusal = self.policy.quotas.refusal(recent, at: now) { return .failure(refusal) }
        let conversion = try await store.conversion(
            prefix: keys.prefix, settling: self.policy.pumping.settling, at: now, in: transaction)
        if let until = self.policy.pumping.pausedUntil(conversion, at: now) {
            try await store.pause(prefix: keys.prefix, until: until, in: transaction)
            return .failure(QuotaRefusal(quota: .pumping, until: until))
        }
        let budget = self.policy.quotas.messagesPerDay
        guard try await store.spendMessage(budget: budget, at: now, in: transaction) else {
            return .failure(QuotaRefusal(quota: .messagesDay, until: now.startOfNextDay))
        }
        if let until = restrictions.phoneUntil, until > now { return .success(.six) }
        let checks = try await store.checks(at: now, in: transaction)
        let isRaised = self.policy.failures.isRaised(recent: checks.recent, baseline: checks.baseline)
        self.metrics.failureRateRaised(isRaised)
        return .success(isRaised ? .six : .four)
    }

    func open(
        _ digits: CodeLength, for phone: PhoneNumber, _ keys: AdmissionStore.Keys, purpose: ChallengePurpose = .login,
        isByCard: Bool = false, isDecoy: Bool = false, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> CodeChallenge {
        // All 128 bits are random: a time-ordered id would leave an attacker 74 to guess.
        let id = Challenge.ID(UUID(random: self.random))
        let challenge = CodeChallenge(opening: id, digits: digits, at: now, rules: self.policy.challenge)
        let origin = ChallengeStore.Origin(
            purpose: purpose,
            pepper: try await self.peppers.current(at: now, in: transaction),
            phoneIndex: keys.phone,
            sealedPhone: try self.vault.seal(phone),
            prefix: keys.prefix,
            networkIndex: keys.network,
            isByCard: isByCard, isDecoy: isDecoy)
        try await ChallengeStore().insert(challenge, from: origin, in: transaction)
        try await SMSStore().insert(
            reference: self.ids.uuid(), of: id, sending: challenge.sends, at: now, in: transaction)
        try await self.bus.send(SendCode(challenge: id, sending: challenge.sends), in: transaction)
        return challenge
    }
}
