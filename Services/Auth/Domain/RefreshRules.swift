import Kernel

/// What to do with a presented refresh token. Pure; the operation holds the session's row lock while it asks and acts.
struct RefreshRules: Hashable, Sendable {
    /// How long a refresh token lives when it is not used.
    var lifetime = Duration.seconds(60 * 86_400)
    /// How long after its rotation a token still gets the successor that was made then: two tabs that refresh at once
    /// must both stay logged in.
    var grace = Duration.seconds(30)

    /// What is stored of a presented token and its session.
    struct Presented: Hashable, Sendable {
        let expiresAt: Timestamp
        let rotatedAt: Timestamp?
        let isSessionRevoked: Bool
    }

    enum Decision: Hashable, Sendable {
        /// The first use: a new token replaces this one.
        case rotate
        /// Used again within the grace: the newest token of the chain is given once more.
        case replay
        /// Used again later: somebody else holds a copy, so the whole family ends.
        case revokeFamily
        /// Unknown, expired, or of a session that has ended.
        case refuse
    }

    func decide(_ presented: Presented?, at now: Timestamp) -> Decision {
        guard let presented, !presented.isSessionRevoked else { return .refuse }
        if let rotatedAt = presented.rotatedAt {
            return now <= rotatedAt + self.grace ? .replay : .revokeFamily
        }
        return presented.expiresAt > now ? .rotate : .refuse
    }
}
