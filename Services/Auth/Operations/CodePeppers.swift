import Crypto
import Kernel
import Postgres

/// The rotating secret that codes are derived with: a new one each day, destroyed when no code of it can be valid.
struct CodePeppers: Sendable {
    let vault: Vault
    let random: RandomBytes
    private let store = PepperStore()

    /// How long one pepper is taken for new challenges.
    static let rotation = Duration.seconds(86_400)

    init(vault: Vault, random: RandomBytes) {
        self.vault = vault
        self.random = random
    }

    /// The pepper for a new challenge, made when the last one is too old. Two processes that make one at the same
    /// moment do no harm: a challenge names the pepper it was derived with.
    func current(at now: Timestamp, in transaction: borrowing Transaction) async throws -> Int32 {
        if let newest = try await self.store.newest(madeAfter: now - Self.rotation, in: transaction) {
            return newest.id
        }
        let sealed = try self.vault.seal(self.random.next(32), at: Self.place)
        return try await self.store.insert(sealed, at: now, in: transaction)
    }

    /// The code of a challenge; nil when its pepper has been destroyed.
    func code<Runner: QueryRunner & ~Copyable>(
        of challenge: Challenge.ID, _ derivation: ChallengeStore.Derivation, on runner: borrowing Runner
    ) async throws -> LoginCode? {
        guard let sealed = try await self.store.find(derivation.pepper, on: runner) else { return nil }
        let pepper = SymmetricKey(data: try self.vault.open(sealed, at: Self.place))
        return LoginCode(
            challenge: challenge, length: derivation.digits, binding: derivation.binding, pepper: pepper)
    }

    /// Peppers made before this are of no use to any challenge that may still be open.
    static func edge(_ rules: ChallengeRules, at now: Timestamp) -> Timestamp {
        now - Self.rotation - max(rules.lifetime, MailCode.lifetime)
    }

    private static let place = "code_pepper.sealed"
}
