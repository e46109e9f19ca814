import Kernel

/// Every rule of auth that is configuration, with the programme's defaults.
struct AuthPolicy: Hashable, Sendable {
    var challenge = ChallengeRules()
    var quotas = ChallengeQuotas()
    var stepUps = StepUpRules()
    var pumping = PumpingWatch()
    var failures = FailureWatch()
    var refresh = RefreshRules()
    var tokens = TokenRules()
    /// The wording of the three consents that registration shows, as its version.
    var consentTextVersion = "2026-11"
}

/// The signed tokens and the keys that sign them.
struct TokenRules: Hashable, Sendable {
    /// How long an access token is accepted.
    var accessLifetime = Duration.seconds(600)
    /// How long the code on the member's screen is good for spending.
    var cardTokenLifetime = Duration.seconds(60)
    /// How long a key signs before a new one takes its place.
    var keyRotation = Duration.seconds(30 * 86_400)
    /// How long a new key is published before it signs, so that whoever keeps the key set for a while knows it by then.
    var publishAhead = Duration.seconds(300)

    /// How long after its last signature a key must be known: the longest token, and clocks that disagree.
    var keyRetention: Duration { max(self.accessLifetime, self.cardTokenLifetime) + .seconds(60) }
}
