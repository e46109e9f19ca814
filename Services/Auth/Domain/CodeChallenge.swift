import Kernel

/// A one-time code asked for, as a state machine: open, resent up to four times, then lapsed or verified.
///
/// Pure: the operations load it under a row lock, ask for the next state, and store that. The counting of attempts is
/// not here, because it must be one committed statement (``ChallengeStore/chargeAttempt(_:rules:at:)``).
struct CodeChallenge: Hashable, Sendable {
    let id: Challenge.ID
    /// How many digits the code has: 4, or 6 where the phone or the hour looks suspicious.
    let digits: CodeLength
    /// Messages sent so far, the first included.
    private(set) var sends: Int
    let createdAt: Timestamp
    private(set) var sentAt: Timestamp
    /// When the code stops being accepted, unless it is sent again before.
    private(set) var expiresAt: Timestamp
    let isVerified: Bool

    /// Why a code is not sent again.
    enum ResendRefusal: Error, Hashable {
        /// Verified, out of sendings, or older than a challenge may get.
        case closed
        case tooEarly(until: Timestamp)
    }

    init(
        id: Challenge.ID, digits: CodeLength, sends: Int, createdAt: Timestamp, sentAt: Timestamp,
        expiresAt: Timestamp, isVerified: Bool
    ) {
        self.id = id
        self.digits = digits
        self.sends = sends
        self.createdAt = createdAt
        self.sentAt = sentAt
        self.expiresAt = expiresAt
        self.isVerified = isVerified
    }

    /// A new challenge whose code goes out at once.
    init(opening id: Challenge.ID, digits: CodeLength, at now: Timestamp, rules: ChallengeRules) {
        self.init(
            id: id, digits: digits, sends: 1, createdAt: now, sentAt: now, expiresAt: now + rules.timeToLive,
            isVerified: false)
    }

    /// When the same code may be sent again, or nil when it may not.
    func resendAt(_ rules: ChallengeRules) -> Timestamp? {
        guard !self.isVerified, self.sends <= rules.resendWaits.count else { return nil }
        let moment = self.sentAt + rules.resendWaits[self.sends - 1]
        return moment < self.createdAt + rules.lifetime ? moment : nil
    }

    /// The challenge after its code was sent once more. The code stays the same and so does the count of attempts;
    /// only its time to live starts again, within the challenge's lifetime.
    func resent(at now: Timestamp, rules: ChallengeRules) throws(ResendRefusal) -> CodeChallenge {
        let end = self.createdAt + rules.lifetime
        guard now < end, let moment = self.resendAt(rules) else { throw .closed }
        guard now >= moment else { throw .tooEarly(until: moment) }
        var next = self
        next.sends += 1
        next.sentAt = now
        next.expiresAt = min(now + rules.timeToLive, end)
        return next
    }
}

/// How many digits a code has. Nothing else is issued: texts, stored rows and the API's pattern rely on it.
enum CodeLength: Int16, Hashable, Sendable {
    case four = 4
    case six = 6
}

/// The times and counts of a challenge. Defaults are the programme's (services.md, auth).
struct ChallengeRules: Hashable, Sendable {
    /// How long a code is accepted after each sending.
    var timeToLive = Duration.seconds(300)
    /// How long a challenge lives at all, resends included: NIST SP 800-63B 5.1.3.2 allows ten minutes.
    var lifetime = Duration.seconds(600)
    /// Comparisons a challenge is good for.
    var attempts = 3
    /// The wait before each resend; as many as are allowed.
    var resendWaits: [Duration] = [.seconds(30), .seconds(60), .seconds(120), .seconds(300)]
    /// How long a proved phone may be registered.
    var ticketLifetime = Duration.seconds(1800)
}
