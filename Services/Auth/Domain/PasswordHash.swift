import Crypto
import CryptoExtras
import FoundationEssentials
import Kernel

/// A colleague's password as it is kept: scrypt (RFC 7914) with a salt of its own, written as a PHC string, so that the
/// cost can be raised later without asking anybody for a new password.
struct PasswordHash: Masked, Hashable, Sendable {
    /// How much work one guess is. 32 MiB and about a fifth of a second, as OWASP's cheat sheet of password storage has it.
    struct Cost: Hashable, Sendable {
        /// The base-2 logarithm of the rounds.
        var logarithm = 15
        var blockSize = 8
        var parallelism = 3
    }

    private let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    private static let saltLength = 16
    private static let hashLength = 32

    /// Computes for a while: call it away from the threads that answer requests (``PasswordOffice``).
    init(of password: Secret, cost: Cost, random: RandomBytes) throws {
        self.cost = cost
        self.salt = random.next(Self.saltLength)
        self.hash = try Self.derive(password, cost: cost, salt: self.salt)
    }

    /// Reads what ``text`` writes; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).dropFirst()
        guard parts.count == 4, parts[1] == "scrypt", let cost = Cost(parts[2]),
            let salt = Base64URL.decode(parts[3]), salt.count == Self.saltLength,
            let hash = Base64URL.decode(parts[4]), hash.count == Self.hashLength
        else { return nil }
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    /// What is stored: `$scrypt$ln=15,r=8,p=3$salt$hash`, both in base64url.
    var text: String {
        "$scrypt$ln=\(self.cost.logarithm),r=\(self.cost.blockSize),p=\(self.cost.parallelism)"
            + "$\(Base64URL.encode(self.salt))$\(Base64URL.encode(self.hash))"
    }

    /// Whether the password is the one; computes for a while, in a time that does not depend on the answer.
    func matches(_ password: Secret) throws -> Bool {
        ConstantTime.equal(self.hash, try Self.derive(password, cost: self.cost, salt: self.salt))
    }

    /// A hash that no password has: what an unknown login is compared with, so that it takes as long as a known one.
    static func unmatchable(cost: Cost) -> PasswordHash {
        PasswordHash(
            cost: cost, salt: [UInt8](repeating: 0, count: Self.saltLength),
            hash: [UInt8](repeating: 0, count: Self.hashLength))
    }

    private init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    private static func derive(_ password: Secret, cost: Cost, salt: [UInt8]) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: password.reveal(), salt: salt, outputByteCount: Self.hashLength, rounds: 1 << cost.logarithm,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    var description: String { "***" }
}

extension PasswordHash.Cost {
    /// `ln=15,r=8,p=3`, within bounds that no stored value of ours leaves.
    fileprivate init?(_ text: Substring) {
        let numbers = text.split(separator: ",").map { part -> Int? in
            part.firstIndex(of: "=").flatMap { Int(part[part.index(after: $0)...]) }
        }
        guard text.hasPrefix("ln="), numbers.count == 3, let logarithm = numbers[0], let blockSize = numbers[1],
            let parallelism = numbers[2], 1...20 ~= logarithm, 1...32 ~= blockSize, 1...16 ~= parallelism
        else { return nil }
        self.init(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism)
    }
}
