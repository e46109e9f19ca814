import Host
import Kernel
import Postgres

/// The settings of what auth does at its edges: gateways, notifications, colleagues.
enum EdgeSettings {
    static let sms = Setting.choice(
        "CLUB_AUTH_SMS", among: ["outbox", "kannel"], default: "outbox",
        meaning: "where SMS go: a table that `club sms` shows, or Kannel")
    static let kannelURL = Setting.text(
        "CLUB_AUTH_KANNEL_URL", default: "http://127.0.0.1:13013/cgi-bin/sendsms",
        meaning: "the address of Kannel's sendsms")
    static let kannelUser = Setting.text("CLUB_AUTH_KANNEL_USER", meaning: "the user name that Kannel knows auth by")
    static let kannelPassword = Setting.optionalSecret(
        "CLUB_AUTH_KANNEL_PASSWORD", meaning: "the password that Kannel knows auth by")
    static let kannelSender = Setting.text(
        "CLUB_AUTH_KANNEL_SENDER", default: "club", meaning: "what phones show as the sender")
    static let kannelReports = Setting.text(
        "CLUB_AUTH_KANNEL_REPORTS",
        meaning: "where Kannel reaches auth, such as http://10.0.0.5:8080; /gateways/kannel/<secret> is added")
    static let kannelSecret = Setting.optionalSecret(
        "CLUB_AUTH_KANNEL_SECRET",
        meaning: "what Kannel's reports prove themselves with, at least 32 letters and digits")

    static let mail = Setting.choice(
        "CLUB_AUTH_MAIL", among: ["outbox", "smtp"], default: "outbox",
        meaning: "where e-mails go: a table that `club mail` shows, or a mail server")
    static let mailFrom = Setting.text(
        "CLUB_AUTH_MAIL_FROM", default: "club@club.example", meaning: "the address that e-mails come from")
    static let smtpHost = Setting.text("CLUB_AUTH_SMTP_HOST", default: "127.0.0.1", meaning: "the mail server")
    static let smtpPort = Setting.integer(
        "CLUB_AUTH_SMTP_PORT", default: 25, in: 1...65_535, meaning: "the mail server's port")
    static let smtpSecurity = Setting.choice(
        "CLUB_AUTH_SMTP_SECURITY", among: ["none", "starttls"], default: "none",
        meaning: "whether the connection is encrypted before anything is said; none is for a relay on this machine")
    static let smtpUser = Setting.text("CLUB_AUTH_SMTP_USER", meaning: "the user name at the mail server, if it asks")
    static let smtpPassword = Setting.optionalSecret(
        "CLUB_AUTH_SMTP_PASSWORD", meaning: "the password at the mail server")

    static let smtpAuthorities = Setting.text(
        "CLUB_AUTH_SMTP_AUTHORITIES", meaning: "a file of certificates that are trusted instead of the system's")

    static let quietFrom = Setting.integer(
        "CLUB_AUTH_QUIET_FROM", default: Int(NoticePolicy().quietFrom), in: 12...24,
        meaning: "the hour, in the zone of the member, from which people are left in peace")
    static let quietUntil = Setting.integer(
        "CLUB_AUTH_QUIET_UNTIL", default: Int(NoticePolicy().quietUntil), in: 0...12,
        meaning: "the hour until which they are")
    static let remindersDay = Self.cap("REMINDERS_DAY", NoticePolicy().reminders.perDay, "reminders a day")
    static let remindersWeek = Self.cap("REMINDERS_WEEK", NoticePolicy().reminders.perWeek, "reminders a week")
    static let advertisingDay = Self.cap("ADVERTISING_DAY", NoticePolicy().advertising.perDay, "offers a day")
    static let advertisingWeek = Self.cap("ADVERTISING_WEEK", NoticePolicy().advertising.perWeek, "offers a week")

    static let staffAttempts = Setting.integer(
        "CLUB_AUTH_STAFF_ATTEMPTS", default: StaffRules().attempts, in: 3...20,
        meaning: "wrong attempts in a row after which a colleague's account is locked")
    static let staffLock = Setting.duration(
        "CLUB_AUTH_STAFF_LOCK", default: StaffRules().lock, in: .seconds(60)...(.seconds(86_400)),
        meaning: "for how long it is locked")
    static let staffSession = Setting.duration(
        "CLUB_AUTH_STAFF_SESSION", default: StaffRules().session, in: .seconds(3600)...(.seconds(86_400)),
        meaning: "how long a colleague's session lives at most")
    static let staffIdle = Setting.duration(
        "CLUB_AUTH_STAFF_IDLE", default: StaffRules().idle, in: .seconds(600)...(.seconds(86_400)),
        meaning: "how long a colleague's session lives that nobody uses")

    static let all: [Setting] = [
        sms, kannelURL, kannelUser, kannelPassword, kannelSender, kannelReports, kannelSecret, mail, mailFrom, smtpHost,
        smtpPort, smtpSecurity, smtpUser, smtpPassword, smtpAuthorities, quietFrom, quietUntil, remindersDay,
        remindersWeek,
        advertisingDay, advertisingWeek, staffAttempts, staffLock, staffSession, staffIdle,
    ]

    private static func cap(_ name: String, _ fallback: Int, _ what: String) -> Setting {
        .integer("CLUB_AUTH_\(name)", default: fallback, in: 0...100, meaning: "\(what) that one member is told")
    }
}

extension NoticePolicy {
    /// The rules as they are set.
    init(_ settings: Settings) throws {
        self.init()
        self.quietFrom = Int64(try settings.integer(EdgeSettings.quietFrom))
        self.quietUntil = Int64(try settings.integer(EdgeSettings.quietUntil))
        self.reminders = Cap(
            perDay: try settings.integer(EdgeSettings.remindersDay),
            perWeek: try settings.integer(EdgeSettings.remindersWeek))
        self.advertising = Cap(
            perDay: try settings.integer(EdgeSettings.advertisingDay),
            perWeek: try settings.integer(EdgeSettings.advertisingWeek))
    }
}

extension StaffRules {
    /// The rules as they are set.
    init(_ settings: Settings) throws {
        self.init()
        self.attempts = try settings.integer(EdgeSettings.staffAttempts)
        self.lock = try settings.duration(EdgeSettings.staffLock)
        self.session = try settings.duration(EdgeSettings.staffSession)
        self.idle = try settings.duration(EdgeSettings.staffIdle)
    }
}

/// What stands at the other end of auth's ways out, as it is set.
struct Outlets: Sendable {
    var sms: any SMSGateway
    var mail: any MailGateway
    var push: any PushGateway
    /// What Kannel's calls prove themselves with; nil where there is no Kannel.
    var kannelSecret: Secret?
    /// Closes what the gateways hold, when the service stops.
    var client: GatewayClient?

    /// - Throws: `SettingsError` for settings that make no sense together.
    init(_ resources: ModuleResources) throws {
        let settings = resources.settings
        self.init(database: resources.database, clock: resources.clock)
        if try settings.text(EdgeSettings.mail) == "smtp" {
            self.mail = SMTPMailGateway(try SMTPMailGateway.Configuration(settings), clock: resources.clock)
        }
        if try settings.text(EdgeSettings.sms) == "kannel" {
            let kannel = try KannelSMSGateway.Configuration(settings)
            let client = GatewayClient()
            self.client = client
            self.kannelSecret = try settings.optionalSecret(EdgeSettings.kannelSecret)
            self.sms = KannelSMSGateway(client: client.client, configuration: kannel)
        }
    }

    /// The development gateways.
    init(database: Database, clock: any WallClock) {
        self.sms = OutboxSMSGateway(database: database, clock: clock)
        self.mail = OutboxMailGateway(database: database, clock: clock)
        self.push = OutboxPushGateway(database: database, clock: clock)
    }
}

extension KannelSMSGateway.Configuration {
    /// Kannel as it is set.
    /// - Throws: `SettingsError` naming what is missing.
    init(_ settings: Settings) throws {
        guard let user = try settings.optionalText(EdgeSettings.kannelUser),
            let password = try settings.optionalSecret(EdgeSettings.kannelPassword),
            let reports = try settings.optionalText(EdgeSettings.kannelReports),
            let secret = try settings.optionalSecret(EdgeSettings.kannelSecret)
        else {
            throw SettingsError(
                "CLUB_AUTH_SMS=kannel needs CLUB_AUTH_KANNEL_USER, _PASSWORD, _REPORTS and _SECRET as well.")
        }
        let allowed = secret.reveal().allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
        }
        guard secret.reveal().count >= 32, allowed else {
            throw SettingsError("CLUB_AUTH_KANNEL_SECRET must be at least 32 letters and digits.")
        }
        self.init(
            address: try settings.text(EdgeSettings.kannelURL), user: user, password: password,
            sender: try settings.text(EdgeSettings.kannelSender),
            reports: Secret("\(reports)/gateways/kannel/\(secret.text)"))
    }
}

extension SMTPMailGateway.Configuration {
    /// The mail server as it is set.
    /// - Throws: `SettingsError` for an address that is none, or half a log-in.
    init(_ settings: Settings) throws {
        guard let from = EmailAddress(try settings.text(EdgeSettings.mailFrom)) else {
            throw SettingsError("CLUB_AUTH_MAIL_FROM must be an e-mail address.")
        }
        let user = try settings.optionalText(EdgeSettings.smtpUser)
        let password = try settings.optionalSecret(EdgeSettings.smtpPassword)
        guard (user == nil) == (password == nil) else {
            throw SettingsError("CLUB_AUTH_SMTP_USER and CLUB_AUTH_SMTP_PASSWORD go together.")
        }
        let isEncrypted = try settings.text(EdgeSettings.smtpSecurity) == "starttls"
        guard isEncrypted || user == nil else {
            throw SettingsError("CLUB_AUTH_SMTP_USER is only said over CLUB_AUTH_SMTP_SECURITY=starttls.")
        }
        self.init(
            host: try settings.text(EdgeSettings.smtpHost), port: try settings.integer(EdgeSettings.smtpPort),
            from: from, isEncrypted: isEncrypted, user: user, password: password,
            authorities: try settings.optionalText(EdgeSettings.smtpAuthorities))
    }
}
