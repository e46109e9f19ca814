import Kernel

/// SMS pumping never converts, people do: a prefix that is sent to and does not log in is left alone for a while.
struct PumpingWatch: Hashable, Sendable {
    /// Messages within an hour from which the share is looked at.
    var sendsFrom = 20
    /// Share of challenges that must have been verified, in per cent.
    var verifiedPercent = 30
    var pause = Duration.seconds(3600)
    /// A challenge younger than this has had no time to be verified and counts only if it was.
    var settling = Duration.seconds(120)

    /// What a prefix did within an hour, leaving out challenges that are still settling.
    struct Conversion: Hashable, Sendable {
        var sends: Int
        var challenges: Int
        var verified: Int
    }

    /// Until when the prefix is paused; nil when it behaves like people.
    func pausedUntil(_ conversion: Conversion, at now: Timestamp) -> Timestamp? {
        guard conversion.sends >= self.sendsFrom else { return nil }
        guard conversion.verified * 100 < conversion.challenges * self.verifiedPercent else { return nil }
        return now + self.pause
    }
}

/// Guessing over many phones shows as a failure rate far above its usual level: then every new code has six digits.
struct FailureWatch: Hashable, Sendable {
    /// How many times its baseline the failure rate must reach.
    var factor = 5
    /// Checks in the last window below which nothing is concluded.
    var checksFrom = 50
    /// The least baseline assumed, in per mille, so that a quiet week does not make three typos an attack.
    var baselineFloorPerMille = 50

    /// The window looked at, and the time before it that the baseline is taken from.
    static let window = Duration.seconds(900)
    static let baseline = Duration.seconds(7 * 86_400)
    static let bucket = Duration.seconds(300)

    struct Checks: Hashable, Sendable {
        var checks: Int64
        var failures: Int64
    }

    func isRaised(recent: Checks, baseline: Checks) -> Bool {
        guard recent.checks >= Int64(self.checksFrom) else { return false }
        let recentPerMille = recent.failures * 1000 / recent.checks
        let usual = baseline.checks > 0 ? baseline.failures * 1000 / baseline.checks : 0
        // A share cannot exceed the whole: where the baseline is a fifth or more, nearly everything failing is the
        // sign.
        let threshold = min(max(usual, Int64(self.baselineFloorPerMille)) * Int64(self.factor), 950)
        return recentPerMille >= threshold
    }
}
