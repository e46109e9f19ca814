import Kernel
import NIOPosix

/// Where passwords are hashed: on threads made for work that takes long, never on those that answer requests. There are
/// as many of these as processors, which also bounds the memory that guessing can take.
struct PasswordOffice: Sendable {
    let cost: PasswordHash.Cost
    let random: RandomBytes

    func hash(_ password: Secret) async throws -> PasswordHash {
        let (cost, random) = (self.cost, self.random)
        return try await NIOThreadPool.singleton.runIfActive {
            try PasswordHash(of: password, cost: cost, random: random)
        }
    }

    /// - Parameter hash: nil for an account that is not there; compared all the same.
    func check(_ password: Secret, against hash: PasswordHash?) async throws -> Bool {
        let compared = hash ?? .unmatchable(cost: self.cost)
        let isRight = try await NIOThreadPool.singleton.runIfActive { try compared.matches(password) }
        return isRight && hash != nil
    }
}
