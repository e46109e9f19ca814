import Crypto
import FoundationEssentials
import Kernel

/// A code derived from its challenge and a pepper. It is stored nowhere: it exists while a message text is made and
/// while an answer is compared.
struct LoginCode: Masked, Sendable {
    private let digits: [UInt8]

    /// HMAC-SHA256 of the challenge under the pepper, its first 64 bits reduced to decimal digits. The reduction
    /// prefers some codes by less than one part in 10¹³.
    /// - Parameter binding: what a code confirms that is good for one action only.
    init(challenge: Challenge.ID, length: CodeLength, binding: StepUpBinding? = nil, pepper: SymmetricKey) {
        var authentication = HMAC<SHA256>(key: pepper)
        withUnsafeBytes(of: challenge.raw.uuid) { authentication.update(data: $0) }
        authentication.update(data: [UInt8(truncatingIfNeeded: length.rawValue)])
        if let binding { authentication.update(data: binding.bytes) }
        var number = authentication.finalize().prefix(8).reduce(UInt64.zero) { $0 << 8 | UInt64($1) }
        var digits: [UInt8] = []
        for _ in 0..<length.rawValue {
            digits.append(UInt8(ascii: "0") + UInt8(number % 10))
            number /= 10
        }
        self.digits = digits
    }

    /// Compares in a time that does not depend on how many digits agree.
    func matches(_ answer: String) -> Bool { ConstantTime.equal(self.digits, Array(answer.utf8)) }

    /// The digits, for the message text only.
    func reveal() -> String { String(decoding: self.digits, as: UTF8.self) }

    var description: String { "****" }
}
