import Kernel
import Postgres

/// Turns a right code into a session, or into a ticket to register where the phone is nobody's yet.
struct LogIn: Sendable {
    let database: Database
    let clock: any WallClock
    let random: RandomBytes
    let verify: VerifyCode
    let openSession: OpenSession
    let confirm: ConfirmPaperForm
    let vault: Vault
    let policy: AuthPolicy
    let metrics: AuthMetrics

    enum Outcome: Sendable {
        case member(Tokens)
        /// The phone is proved and free: the ticket registers it once. With the name of the support line's draft, if
        /// there is one.
        case registration(ticket: OpaqueToken, expiresAt: Timestamp, draft: FullName?)
        /// Wrong, lapsed, used or unknown: not told apart.
        case refused
    }

    private enum Proved: Sendable {
        case member(SessionGrant)
        case registration(OpaqueToken, FullName?)
        case usedMeanwhile
    }

    func callAsFunction(_ id: Challenge.ID, answer: String, device: DeviceName) async throws -> Outcome {
        guard try await self.verify(id, answer: answer) else { return .refused }
        let now = self.clock.now
        let expiresAt = now + self.policy.challenge.ticketLifetime
        let proved = try await self.database.transaction { transaction in
            // Single use: of two right answers at once only one finds the challenge unverified.
            guard let phone = try await ChallengeStore().verify(id, at: now, in: transaction) else {
                return Proved.usedMeanwhile
            }
            try await AdmissionStore().recordCheck(isRight: true, at: now, on: transaction)
            if let member = try await MemberStore().find(phoneIndex: phone.phoneIndex, on: transaction) {
                // Of a paper form that waits this code is the confirmation.
                try await self.confirm(member, by: .sms, in: transaction)
                return .member(try await self.openSession(member, device: device, in: transaction))
            }
            let ticket = OpaqueToken(self.random)
            try await SessionStore().insert(
                ticket: ticket, phoneIndex: phone.phoneIndex, sealedPhone: phone.sealedPhone, expiresAt: expiresAt,
                in: transaction)
            let draft = try await RegistrationStore().draft(phoneIndex: phone.phoneIndex, at: now, on: transaction)
            return .registration(
                ticket, try draft.map { try self.vault.openDraft($0.sealedName, of: phone.phoneIndex) })
        }
        switch proved {
        case .usedMeanwhile:
            self.metrics.codeChecked(.closed)
            return .refused
        case .member(let grant):
            self.metrics.codeChecked(.right)
            return .member(try await self.openSession.tokens(for: grant))
        case .registration(let ticket, let draft):
            self.metrics.codeChecked(.right)
            return .registration(ticket: ticket, expiresAt: expiresAt, draft: draft)
        }
    }
}
