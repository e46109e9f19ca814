import Contracts
import Crypto
import FoundationEssentials
import Kernel
import Postgres

/// Codes of six digits by e-mail. As with SMS they are derived and stored nowhere, and an attempt is counted before it is
/// compared.
struct MailCode: Sendable {
    let database: Database
    let clock: any WallClock
    let random: RandomBytes
    let peppers: CodePeppers
    let policy: AuthPolicy
    let tell: TellMember

    /// Mail is slower than SMS.
    static let lifetime = Duration.seconds(1800)
    static let perHour = 5

    /// A code that is on its way.
    struct Sent: Sendable {
        let id: Challenge.ID
        let expiresAt: Timestamp
    }

    /// Under the member's row lock.
    /// - Returns: nil when the member asked for too many.
    func send(
        to email: EmailAddress, of member: Member.ID, key: MemberKey, for purpose: EmailChallengeStore.Purpose,
        in transaction: borrowing Transaction
    ) async throws -> Sent? {
        let (now, store) = (self.clock.now, EmailChallengeStore())
        let recent = try await store.count(of: member, since: now - ChallengeQuotas.hour, in: transaction)
        guard recent < Self.perHour else { return nil }
        let stored = EmailChallengeStore.Stored(
            id: Challenge.ID(UUID(random: self.random)), purpose: purpose,
            sealedEmail: try key.seal(email.address, field: .email),
            pepper: try await self.peppers.current(at: now, in: transaction), expiresAt: now + Self.lifetime)
        try await store.insert(stored, of: member, at: now, in: transaction)
        // Derived here, because the message travels encrypted and whoever sends it knows no peppers.
        let code = try await self.peppers.code(
            of: stored.id, Self.derivation(stored, email), on: transaction)
        guard let code else { return nil }
        try await self.tell.mail(
            .email(email), russian: purpose.russian(code), english: purpose.english(code), expiresAt: stored.expiresAt,
            in: transaction)
        return Sent(id: stored.id, expiresAt: stored.expiresAt)
    }

    /// - Returns: what the code proves; nil when it is refused. Not used up yet: ``EmailChallengeStore/use(_:at:in:)``.
    func check(
        _ id: Challenge.ID, of member: Member.ID, key: MemberKey, code answer: String
    ) async throws -> (purpose: EmailChallengeStore.Purpose, email: EmailAddress)? {
        let charged = try await EmailChallengeStore().chargeAttempt(
            id, of: member, attemptsMax: self.policy.challenge.attempts, at: self.clock.now, on: self.database)
        guard let charged, let email = EmailAddress(try key.open(charged.sealedEmail, field: .email)),
            let code = try await self.peppers.code(of: id, Self.derivation(charged, email), on: self.database),
            code.matches(answer)
        else { return nil }
        return (charged.purpose, email)
    }

    /// The code is bound to its address and purpose.
    static func derivation(
        _ stored: EmailChallengeStore.Stored, _ email: EmailAddress
    ) -> ChallengeStore.Derivation {
        let bound = Array("\(stored.purpose.rawValue)/\(email.address)".utf8)
        return ChallengeStore.Derivation(
            digits: .six, pepper: stored.pepper, binding: StepUpBinding(Array(SHA256.hash(data: bound))))
    }
}

extension EmailChallengeStore.Purpose {
    fileprivate func russian(_ code: LoginCode) -> Notify.Text {
        switch self {
        case .address:
            Notify.Text(
                subject: "Подтверждение адреса",
                body:
                    "Код \(code.reveal()) подтверждает этот адрес для клуба. Если вы его не указывали, ничего не делайте."
            )
        case .marketing:
            Notify.Text(
                subject: "Согласие на рассылку",
                body: "Код \(code.reveal()) подтверждает согласие на рекламу по почте. Без него писем не будет.")
        }
    }

    fileprivate func english(_ code: LoginCode) -> Notify.Text {
        switch self {
        case .address:
            Notify.Text(
                subject: "Confirm your address",
                body: "The code \(code.reveal()) confirms this address for the club. Not you? Do nothing.")
        case .marketing:
            Notify.Text(
                subject: "Advertising by e-mail",
                body:
                    "The code \(code.reveal()) confirms that you want advertising by e-mail. Without it there is none.")
        }
    }
}
