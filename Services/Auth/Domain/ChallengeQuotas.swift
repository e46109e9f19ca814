import Kernel

/// How many challenges are handed out to whom. Defaults are the programme's (services.md, auth).
struct ChallengeQuotas: Hashable, Sendable {
    var perPhoneHour = 5
    var perPhoneDay = 10
    /// A network is an IPv4 /24 or an IPv6 /64.
    var perNetworkHour = 10
    var phonesPerNetworkHour = 5
    /// A prefix is the first seven digits of a number: a block of 10 000 phones.
    var perPrefixHour = 60
    /// Messages a day (UTC) over everybody.
    var messagesPerDay = 20_000
    /// Checks in a row without a right one, over all challenges of a phone, after which it gets six digits.
    var failuresInRow = 10
    /// How long a phone that failed so often gets six digits.
    var restriction = Duration.seconds(86_400)

    static let hour = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)

    /// Whether one more challenge is handed out; nil when it is.
    func refusal(_ recent: RecentChallenges, at now: Timestamp) -> QuotaRefusal? {
        if let until = recent.prefixPausedUntil, until > now { return QuotaRefusal(quota: .pumping, until: until) }
        let windows: [(Quota, [Timestamp], Int, Duration)] = [
            (.phoneHour, recent.phone.filter { $0 > now - Self.hour }, self.perPhoneHour, Self.hour),
            (.phoneDay, recent.phone, self.perPhoneDay, Self.day),
            (.networkHour, recent.network, self.perNetworkHour, Self.hour),
            (.prefixHour, recent.prefix, self.perPrefixHour, Self.hour),
        ]
        for (quota, moments, limit, window) in windows where moments.count >= limit {
            // The window has room again when the oldest of the newest `limit` challenges leaves it.
            let oldest = moments.sorted()[max(0, moments.count - limit)...].first ?? now
            return QuotaRefusal(quota: quota, until: oldest + window)
        }
        return self.phonesRefusal(recent, at: now)
    }

    /// Whether the asking network alone is refused: what a request by card number may be told, since it says nothing of
    /// the card. nil when it is not.
    func networkRefusal(_ recent: RecentChallenges, at now: Timestamp) -> QuotaRefusal? {
        var network = RecentChallenges()
        network.network = recent.network
        network.otherPhonesOfNetwork = recent.otherPhonesOfNetwork
        return self.refusal(network, at: now)
    }

    private func phonesRefusal(_ recent: RecentChallenges, at now: Timestamp) -> QuotaRefusal? {
        if recent.otherPhonesOfNetwork >= self.phonesPerNetworkHour {
            return QuotaRefusal(quota: .networkPhones, until: (recent.network.min() ?? now) + Self.hour)
        }
        return nil
    }
}

/// What was handed out lately to the phone, its prefix and the asking network.
struct RecentChallenges: Hashable, Sendable {
    /// Challenges of this phone within a day.
    var phone: [Timestamp] = []
    /// Challenges of this network within an hour.
    var network: [Timestamp] = []
    /// Phones other than this one that the network asked for within an hour.
    var otherPhonesOfNetwork = 0
    /// Challenges of this prefix within an hour.
    var prefix: [Timestamp] = []
    var prefixPausedUntil: Timestamp?
}

/// The quota that ran out; a label of the metric, never told to the asking client.
enum Quota: String, Hashable, Sendable, CaseIterable {
    case phoneHour = "phone_hour"
    case phoneDay = "phone_day"
    case networkHour = "network_hour"
    case networkPhones = "network_phones"
    case prefixHour = "prefix_hour"
    case pumping
    case messagesDay = "messages_day"
}

struct QuotaRefusal: Error, Hashable {
    let quota: Quota
    let until: Timestamp
}
