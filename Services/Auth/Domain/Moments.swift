import FoundationEssentials
import Kernel

extension Timestamp {
    /// The next midnight UTC, when daily budgets start again.
    var startOfNextDay: Timestamp {
        let day: Int64 = 86_400
        let seconds = self.secondsSince1970
        let today = seconds - ((seconds % day) + day) % day
        return Timestamp(secondsSince1970: today + day)
    }
}

extension Timestamp {
    /// Without the fraction: the claim `exp` counts whole seconds, and what clients are told must not be later.
    var wholeSecond: Timestamp { Timestamp(secondsSince1970: self.secondsSince1970) }
}

extension PhoneNumber {
    /// The first seven digits: the block of 10 000 numbers that one operator was given.
    var prefix: String { String(self.e164.dropFirst().prefix(7)) }
}

extension UUID {
    /// 128 random bits, without the version and variant that RFC 9562 sets in its own kinds.
    init(random: RandomBytes) {
        let b = random.next(16)
        self.init(
            uuid: (
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]
            ))
    }
}
