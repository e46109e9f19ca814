public import Kernel

/// What a colleague logs in as: 3 to 32 of lower-case letters, digits, dots and hyphens, a letter first.
public struct StaffLogin: ValidatedText {
    /// The login itself.
    public let text: String
    /// What a login looks like.
    public static let requirement = "a login is 3 to 32 of a-z, 0-9, dots and hyphens, a letter first"

    /// nil for a text that is no login.
    public init?(_ text: String) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard 3...32 ~= text.utf8.count, text.utf8.first.map(letters.contains) == true,
            text.utf8.allSatisfy({ letters.contains($0) || digits.contains($0) || $0 == 0x2d || $0 == 0x2e })
        else { return nil }
        self.text = text
    }
}

/// What holds for the logins of colleagues.
struct StaffRules: Hashable, Sendable {
    /// Wrong attempts in a row after which an account is locked.
    var attempts = 5
    /// For how long.
    var lock = Duration.seconds(900)
    /// How long a session lives, however much it is used.
    var session = Duration.seconds(12 * 3600)
    /// How long one lives that nobody uses.
    var idle = Duration.seconds(3600)
    /// The work of one guess.
    var cost = PasswordHash.Cost()
    /// Logins that one network may try in a minute, over all accounts.
    var networkMinute = 20

    /// How many characters a password has: length is what counts, so nothing else is asked (NIST SP 800-63B, 5.1.1.2).
    static let passwordLength = 12...128

    static func accepts(password: String) -> Bool {
        Self.passwordLength.contains(password.count) && password.utf8.count <= 512
    }
}
