import FoundationEssentials
import Kernel
import Postgres
import Web

// Log-in by card number. The answer is the same, and takes the same statements, whether the card exists, is blocked, or
// has a phone that may get no more codes: then a decoy is opened, for which no message goes out and no answer is right.

extension RequestChallenge {
    /// Where a card's code would go: to its member's phone, or nowhere.
    private struct Target {
        let phone: PhoneNumber
        let keys: AdmissionStore.Keys
        let isKnown: Bool
    }

    /// - Returns: a refusal only for what the network alone has used up.
    func callAsFunction(_ card: CardNumber, from network: ClientNetwork) async throws -> Result<Issued, QuotaRefusal> {
        let now = self.clock.now
        let outcome = try await self.database.transaction { transaction in
            let holder = try await MemberStore().phone(of: card, in: transaction)
            let target = try holder.map { try self.target($0, from: network) } ?? self.decoy(card, from: network)
            let verdict = try await self.judge(target, at: now, in: transaction)
            if let refusal = verdict.refusal { return Result<CodeChallenge, QuotaRefusal>.failure(refusal) }
            let (metrics, isDecoy) = (self.metrics, verdict.isDecoy)
            transaction.afterCommit { metrics.cardLogIn(isDecoy: isDecoy) }
            return .success(
                try await self.open(
                    verdict.digits, for: target.phone, target.keys, isByCard: true, isDecoy: verdict.isDecoy, at: now,
                    in: transaction))
        }
        switch outcome {
        case .success(let challenge): self.metrics.challengeIssued(challenge.digits)
        case .failure(let refusal): self.metrics.challengeRefused(refusal.quota)
        }
        return outcome.map(self.issued)
    }

    private func target(_ holder: MemberStore.HeldPhone, from network: ClientNetwork) throws -> Target {
        let key = try self.vault.unwrap(holder.wrappedKey, of: holder.member)
        let phone = try PhoneNumber(parsing: key.open(holder.sealedPhone, field: .phone))
        let keys = AdmissionStore.Keys(
            phone: holder.phoneIndex, network: self.vault.index(network), prefix: phone.prefix)
        return Target(phone: phone, keys: keys, isKnown: true)
    }

    /// Does for a card that is nobody's what ``target(_:from:)`` does for others: a key, a phone, an opened box.
    private func decoy(_ card: CardNumber, from network: ClientNetwork) throws -> Target {
        let index = self.vault.index(card)
        let digits = index.map { String($0 % 10) }
        let phone = try PhoneNumber(parsing: "+79" + digits.prefix(9).joined())
        let key = try self.vault.makeMemberKey(for: Member.ID(UUID(random: self.random)), random: self.random).key
        _ = try key.open(key.seal(phone.e164, field: .phone), field: .phone)
        // No phone's prefix begins with a zero, and each card has a row of its own to lock, as phones have.
        let keys = AdmissionStore.Keys(
            phone: index, network: self.vault.index(network), prefix: "0" + digits.suffix(6).joined())
        return Target(phone: phone, keys: keys, isKnown: false)
    }

    /// Every statement runs, whatever the ones before it found.
    private func judge(
        _ target: Target, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (refusal: QuotaRefusal?, digits: CodeLength, isDecoy: Bool) {
        let store = AdmissionStore()
        let restrictions = try await store.lock(target.keys, at: now, in: transaction)
        var recent = try await store.recent(target.keys, at: now, in: transaction)
        recent.prefixPausedUntil = restrictions.prefixUntil
        let conversion = try await store.conversion(
            prefix: target.keys.prefix, settling: self.policy.pumping.settling, at: now, in: transaction)
        let pause = self.policy.pumping.pausedUntil(conversion, at: now)
        if let pause { try await store.pause(prefix: target.keys.prefix, until: pause, in: transaction) }
        let checks = try await store.checks(at: now, in: transaction)
        let isRaised = self.policy.failures.isRaised(recent: checks.recent, baseline: checks.baseline)
        let visible = self.policy.quotas.networkRefusal(recent, at: now)
        let isRefused = self.policy.quotas.refusal(recent, at: now) != nil || pause != nil
        let isSent = target.isKnown && !isRefused
        let isPaid = try await store.spendMessage(
            budget: self.policy.quotas.messagesPerDay, cost: isSent && visible == nil ? 1 : 0, at: now, in: transaction)
        let isRestricted = restrictions.phoneUntil.map { $0 > now } ?? false
        return (visible, isRestricted || isRaised ? .six : .four, !(isSent && isPaid))
    }
}
