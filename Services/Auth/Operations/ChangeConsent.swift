import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import Web

/// Records a member's choice about one purpose and channel. Agreeing to advertising by SMS or e-mail takes a code to that
/// very channel (double opt-in); withdrawing never takes anything.
struct ChangeConsent: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let vault: Vault
    let requestChallenge: RequestChallenge
    let verify: VerifyCode
    let mail: MailCode
    let policy: AuthPolicy

    struct Choice: Hashable, Sendable {
        let purpose: ConsentPurpose
        let channel: ConsentChannel
        let granted: Bool
    }

    enum Outcome: Sendable {
        case recorded
        /// A code is on its way; nothing is recorded before it comes.
        case asked(Challenge.ID, expiresAt: Timestamp)
    }

    enum Refusal: Error, Hashable {
        /// A purpose without which nobody is a member: leaving the programme is the way to withdraw it.
        case required
        /// There is no such channel for this purpose.
        case channel
        /// There is no proved address to send a code to, or no phone.
        case noAddress
        case quota(QuotaRefusal)
        case tooManyCodes
        case gone
    }

    /// - Throws: ``Refusal``, with nothing recorded.
    func callAsFunction(_ choice: Choice, of member: Member.ID, from network: ClientNetwork) async throws -> Outcome {
        guard !choice.purpose.isRequired else { throw Refusal.required }
        guard choice.purpose.channels.contains(choice.channel) else { throw Refusal.channel }
        guard choice.granted, choice.purpose == .marketing, choice.channel != .push else {
            try await self.database.transaction { transaction in
                try await self.record(choice, .cabinet, of: member, in: transaction)
            }
            return .recorded
        }
        return choice.channel == .email
            ? try await self.askByMail(member) : try await self.askByPhone(member, from: network)
    }

    /// - Returns: false when the code is refused.
    func confirm(_ id: Challenge.ID, of member: Member.ID, code: String) async throws -> Bool {
        if try await ConsentRequestStore().exists(id, of: member, on: self.database) {
            guard try await self.verify(id, answer: code, for: .consent) else { return false }
            return try await self.database.transaction { transaction in
                guard try await ChallengeStore().verify(id, at: self.clock.now, in: transaction) != nil else {
                    return false
                }
                try await self.record(.marketing(by: .sms), .code, of: member, in: transaction)
                return true
            }
        }
        guard let wrapped = try await MemberStore().wrappedKey(of: member, on: self.database) else { return false }
        let key = try self.vault.unwrap(wrapped, of: member)
        guard let proved = try await self.mail.check(id, of: member, key: key, code: code),
            proved.purpose == .marketing
        else { return false }
        return try await self.database.transaction { transaction in
            guard try await EmailChallengeStore().use(id, at: self.clock.now, in: transaction) else { return false }
            try await self.record(.marketing(by: .email), .code, of: member, in: transaction)
            return true
        }
    }

    private func record(
        _ choice: Choice, _ source: ConsentSource, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws {
        let now = self.clock.now
        let record = ConsentRecord(
            purpose: choice.purpose, channel: choice.channel, textVersion: self.policy.consentTextVersion,
            isGranted: choice.granted, source: source, recordedAt: now)
        try await MemberStore().record([record], of: member, in: transaction)
        guard choice.purpose == .profiling else { return }
        try await self.bus.publish(
            ProfilingChanged(member: member, isAllowed: choice.granted, changedAt: now), in: transaction)
    }

    private func askByMail(_ member: Member.ID) async throws -> Outcome {
        try await self.database.transaction { transaction in
            guard let current = try await ProfileStore().lock(member, in: transaction) else { throw Refusal.gone }
            let key = try self.vault.unwrap(current.wrappedKey, of: member)
            guard let sealed = current.sealedEmail, let email = EmailAddress(try key.open(sealed, field: .email)) else {
                throw Refusal.noAddress
            }
            let sent = try await self.mail.send(to: email, of: member, key: key, for: .marketing, in: transaction)
            guard let sent else { throw Refusal.tooManyCodes }
            return .asked(sent.id, expiresAt: sent.expiresAt)
        }
    }

    private func askByPhone(_ member: Member.ID, from network: ClientNetwork) async throws -> Outcome {
        guard let holder = try await MemberStore().phone(of: member, on: self.database) else {
            throw Refusal.noAddress
        }
        let key = try self.vault.unwrap(holder.wrappedKey, of: member)
        let phone = try PhoneNumber(parsing: key.open(holder.sealedPhone, field: .phone))
        switch try await self.requestChallenge(phone, from: network, for: .consent) {
        case .failure(let refusal): throw Refusal.quota(refusal)
        case .success(let issued):
            try await ConsentRequestStore().insert(
                issued.challenge, of: member, at: self.clock.now, on: self.database)
            return .asked(issued.challenge, expiresAt: issued.expiresAt)
        }
    }
}

extension ChangeConsent.Choice {
    fileprivate static func marketing(by channel: ConsentChannel) -> Self {
        Self(purpose: .marketing, channel: channel, granted: true)
    }
}
