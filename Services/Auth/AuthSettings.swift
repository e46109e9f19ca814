import Host
import Kernel
import Web

/// The settings of auth: every limit of services.md is one.
enum AuthSettings {
    static let masterKey = Setting.secret(
        "CLUB_AUTH_MASTER_KEY", minimumBytes: Vault.secretLength,
        meaning: "what member keys are wrapped with and peppers and signing keys are sealed with")
    static let lookupKey = Setting.secret(
        "CLUB_AUTH_LOOKUP_KEY", minimumBytes: Vault.secretLength,
        meaning: "what phones are indexed with; when it changes, no member is found by phone any more")
    static let trustedProxies = Setting.text(
        "CLUB_AUTH_TRUSTED_PROXIES", default: "none",
        meaning:
            "the proxies whose X-Forwarded-For is believed: addresses with commas, each for its /24 or /64"
    )
    static let consentText = Setting.text(
        "CLUB_AUTH_CONSENT_TEXT", default: AuthPolicy().consentTextVersion,
        meaning: "the version of the consents' wording that registration shows")

    static let codeLifetime = Setting.duration(
        "CLUB_AUTH_CODE_LIFETIME", default: ChallengeRules().timeToLive, in: .seconds(30)...(.seconds(600)),
        meaning: "how long a code is accepted after each sending")
    static let codeAttempts = Setting.integer(
        "CLUB_AUTH_CODE_ATTEMPTS", default: ChallengeRules().attempts, in: 1...5,
        meaning: "how many answers a challenge is good for")
    static let accessLifetime = Setting.duration(
        "CLUB_AUTH_ACCESS_LIFETIME", default: TokenRules().accessLifetime, in: .seconds(60)...(.seconds(3600)),
        meaning: "how long an access token is accepted")
    static let refreshLifetime = Setting.duration(
        "CLUB_AUTH_REFRESH_LIFETIME", default: RefreshRules().lifetime, in: .seconds(3600)...(.seconds(365 * 86_400)),
        meaning: "how long a session lives that nobody uses")
    static let refreshGrace = Setting.duration(
        "CLUB_AUTH_REFRESH_GRACE", default: RefreshRules().grace, in: .zero...(.seconds(300)),
        meaning: "how long a used refresh token still gets its successor")
    static let keyRotation = Setting.duration(
        "CLUB_AUTH_KEY_ROTATION", default: TokenRules().keyRotation, in: .seconds(3600)...(.seconds(365 * 86_400)),
        meaning: "how long a key signs tokens")

    static let phoneHour = Self.quota("PHONE_HOUR", ChallengeQuotas().perPhoneHour, "codes that a phone gets an hour")
    static let phoneDay = Self.quota("PHONE_DAY", ChallengeQuotas().perPhoneDay, "codes that a phone gets a day")
    static let networkHour = Self.quota(
        "NETWORK_HOUR", ChallengeQuotas().perNetworkHour, "codes that a network (/24, /64) gets an hour")
    static let networkPhones = Self.quota(
        "NETWORK_PHONES", ChallengeQuotas().phonesPerNetworkHour, "phones that a network may ask codes for in an hour")
    static let prefixHour = Self.quota(
        "PREFIX_HOUR", ChallengeQuotas().perPrefixHour, "codes that a block of 10 000 numbers gets an hour")
    static let messagesDay = Self.quota(
        "MESSAGES_DAY", ChallengeQuotas().messagesPerDay, "messages that are sent a day, to everybody together")
    static let failuresInRow = Self.quota(
        "FAILURES_IN_ROW", ChallengeQuotas().failuresInRow, "failures in a row after which a phone gets six digits")
    static let restriction = Setting.duration(
        "CLUB_AUTH_RESTRICTION", default: ChallengeQuotas().restriction, in: .seconds(3600)...(.seconds(30 * 86_400)),
        meaning: "how long a phone that failed so often gets six digits")
    static let stepUpsHour = Self.quota(
        "STEP_UPS_HOUR", StepUpRules().perHour, "step-up codes that a member gets an hour")
    static let stepUpsDay = Self.quota("STEP_UPS_DAY", StepUpRules().perDay, "step-up codes that a member gets a day")
    static let pumpingSends = Self.quota(
        "PUMPING_SENDS", PumpingWatch().sendsFrom, "messages an hour from which a prefix must verify")
    static let pumpingPercent = Setting.integer(
        "CLUB_AUTH_PUMPING_PERCENT", default: PumpingWatch().verifiedPercent, in: 0...100,
        meaning: "the share of a prefix's codes, in per cent, that must be verified lest it be paused")
    static let pumpingPause = Setting.duration(
        "CLUB_AUTH_PUMPING_PAUSE", default: PumpingWatch().pause, in: .seconds(60)...(.seconds(86_400)),
        meaning: "how long a prefix is paused")
    static let failureFactor = Setting.integer(
        "CLUB_AUTH_FAILURE_FACTOR", default: FailureWatch().factor, in: 2...100,
        meaning: "how many times its baseline the failure rate must reach for everybody to get six digits")

    static let all: [Setting] = [
        masterKey, lookupKey, trustedProxies, consentText, codeLifetime, codeAttempts, accessLifetime, refreshLifetime,
        refreshGrace, keyRotation, phoneHour, phoneDay, networkHour, networkPhones, prefixHour, messagesDay,
        failuresInRow, restriction, stepUpsHour, stepUpsDay, pumpingSends, pumpingPercent, pumpingPause, failureFactor,
    ]

    private static func quota(_ name: String, _ fallback: Int, _ meaning: String) -> Setting {
        .integer("CLUB_AUTH_\(name)", default: fallback, in: 1...1_000_000, meaning: meaning)
    }
}

extension AuthPolicy {
    /// The rules as they are set.
    init(_ settings: Settings) throws {
        self.init()
        self.challenge.timeToLive = try settings.duration(AuthSettings.codeLifetime)
        self.challenge.attempts = try settings.integer(AuthSettings.codeAttempts)
        self.tokens.accessLifetime = try settings.duration(AuthSettings.accessLifetime)
        self.tokens.keyRotation = try settings.duration(AuthSettings.keyRotation)
        self.refresh.lifetime = try settings.duration(AuthSettings.refreshLifetime)
        self.refresh.grace = try settings.duration(AuthSettings.refreshGrace)
        self.quotas.perPhoneHour = try settings.integer(AuthSettings.phoneHour)
        self.quotas.perPhoneDay = try settings.integer(AuthSettings.phoneDay)
        self.quotas.perNetworkHour = try settings.integer(AuthSettings.networkHour)
        self.quotas.phonesPerNetworkHour = try settings.integer(AuthSettings.networkPhones)
        self.quotas.perPrefixHour = try settings.integer(AuthSettings.prefixHour)
        self.quotas.messagesPerDay = try settings.integer(AuthSettings.messagesDay)
        self.quotas.failuresInRow = try settings.integer(AuthSettings.failuresInRow)
        self.quotas.restriction = try settings.duration(AuthSettings.restriction)
        self.stepUps.perHour = try settings.integer(AuthSettings.stepUpsHour)
        self.stepUps.perDay = try settings.integer(AuthSettings.stepUpsDay)
        self.pumping.sendsFrom = try settings.integer(AuthSettings.pumpingSends)
        self.pumping.verifiedPercent = try settings.integer(AuthSettings.pumpingPercent)
        self.pumping.pause = try settings.duration(AuthSettings.pumpingPause)
        self.failures.factor = try settings.integer(AuthSettings.failureFactor)
        self.consentTextVersion = try settings.text(AuthSettings.consentText)
    }
}

extension ClientAddress {
    /// The proxies as they are set.
    /// - Throws: `SettingsError` for a text that is neither `none` nor addresses.
    init(_ settings: Settings) throws {
        guard let address = Self(parsing: try settings.text(AuthSettings.trustedProxies)) else {
            throw SettingsError("CLUB_AUTH_TRUSTED_PROXIES must be addresses with commas between them, or none.")
        }
        self = address
    }
}
