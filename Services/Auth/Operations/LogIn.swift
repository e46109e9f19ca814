import Kernel
import Postgres

/// Turns a right code into a session, or into a ticket to register where the phone is nobody's yet.
struct LogIn: Sendable {
    let database: Database
    let clock: any WallClock
    let random: RandomBytes
    let verify: VerifyCode
    let openSession: OpenSession
    let policy: AuthPolicy
    let metrics: AuthMetrics

    enum Outcome: Sendable {
        case member(Tokens)
        /// The phone is proved and free: the ticket registers it once.
        case registration(ticket: OpaqueToken, expiresAt: Timestamp)
        /// Wrong, lapsed, used or unknown: not told apart.
        case refused
    }

    private enum Proved: Sendable {
        case member(SessionGrant)
        case registration(OpaqueToken)
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
                return .member(try await self.openSession(member, device: device, in: transaction))
            }
            let ticket = OpaqueToken(self.random)
            try await SessionStore().insert(
                ticket: ticket, phoneIndex: phone.phoneIndex, sealedPhone: phone.sealedPhone, expiresAt: expiresAt,
                in: transaction)
            return .registration(ticket)
        }
        switch proved {
        case .usedMeanwhile:
            self.metrics.codeChecked(.closed)
            return .refused
        case .member(let grant):
            self.metrics.codeChecked(.right)
            return .member(try await self.openSession.tokens(for: grant))
        case .registration(let ticket):
            self.metrics.codeChecked(.right)
            return .registration(ticket: ticket, expiresAt: expiresAt)
        }
    }
}
