import Kernel

/// How many step-up codes a member gets. Six digits and three attempts each: a day's worth of guesses finds one code in
/// ten thousand.
struct StepUpRules: Hashable, Sendable {
    var perHour = 10
    var perDay = 30

    /// Until when the member gets none; nil when one more is sent.
    /// - Parameter recent: codes of the last day.
    func refusedUntil(_ recent: [Timestamp], at now: Timestamp) -> Timestamp? {
        let windows: [(limit: Int, window: Duration)] = [
            (self.perHour, ChallengeQuotas.hour), (self.perDay, ChallengeQuotas.day),
        ]
        for (limit, window) in windows {
            let moments = recent.filter { $0 > now - window }.sorted()
            guard moments.count >= limit else { continue }
            return (moments[(moments.count - limit)...].first ?? now) + window
        }
        return nil
    }
}
