import Contracts
import Kernel

/// How far something told came; only ever rises (``DeliveryState`` of codes says why).
enum NoticeState: Int16, Hashable, Sendable {
    case waiting = 0
    case sent = 1
    case undelivered = 2
    case delivered = 3
    /// From `waiting` only; nothing comes after it.
    case suppressed = 4

    /// What the others are told of it; nil while there is nothing to tell.
    var told: NotificationMoved.State? {
        switch self {
        case .waiting: nil
        case .sent: .sent
        case .undelivered: .undelivered
        case .delivered: .delivered
        case .suppressed: .suppressed
        }
    }

    init(_ state: DeliveryState) {
        switch state {
        case .queued: self = .waiting
        case .accepted: self = .sent
        case .failed: self = .undelivered
        case .delivered: self = .delivered
        }
    }
}

/// When and by which way somebody may be told something. Pure.
struct NoticePolicy: Hashable, Sendable {
    /// The hour from which people are left in peace, and until which, in their zone.
    var quietFrom: Int64 = 22
    var quietUntil: Int64 = 8
    /// Of people who are no members and so have said nothing about their zone: Moscow's.
    var zone = MemberZone.moscow.offset
    var reminders = Cap(perDay: 1, perWeek: 3)
    var advertising = Cap(perDay: 1, perWeek: 2)

    /// How often one member may be told, over all ways.
    struct Cap: Hashable, Sendable {
        var perDay: Int
        var perWeek: Int
    }

    /// What is known of somebody at the moment of choosing.
    struct Reach: Hashable, Sendable {
        /// The ways that lead there.
        var possible: Set<Notify.Channel>
        /// The ways that the person agreed to for this purpose.
        var agreed: Set<Notify.Channel> = []
        /// How much of this purpose was told within a day and a week.
        var lastDay = 0
        var lastWeek = 0
        /// Of the person's clock; nil: nothing is known of it.
        var zone: Duration?
    }

    /// Why something is not told.
    enum Suppression: String, Hashable, Sendable, CaseIterable {
        case expired
        case unreachable
        case noConsent = "no-consent"
        case cap
        case erased
    }

    enum Choice: Hashable, Sendable {
        case tell(Notify.Channel)
        case wait(until: Timestamp)
        case suppress(Suppression)
    }

    /// - Parameter isHourChosen: somebody has chosen the hour for this person, as with a gift; counts for service only.
    func choose(
        _ purpose: Notify.Purpose, by channels: [Notify.Channel], notBefore: Timestamp?, expiresAt: Timestamp?,
        reach: Reach, isHourChosen: Bool = false, at now: Timestamp
    ) -> Choice {
        func wait(_ until: Timestamp) -> Choice {
            (expiresAt.map { until < $0 } ?? true) ? .wait(until: until) : .suppress(.expired)
        }
        if let expiresAt, expiresAt <= now { return .suppress(.expired) }
        if let notBefore, notBefore > now { return wait(notBefore) }
        let possible = channels.filter(reach.possible.contains)
        guard !possible.isEmpty else { return .suppress(.unreachable) }
        let allowed = purpose.needsConsent ? possible.filter(reach.agreed.contains) : possible
        guard !allowed.isEmpty else { return .suppress(.noConsent) }
        if let cap = self.cap(of: purpose), reach.lastDay >= cap.perDay || reach.lastWeek >= cap.perWeek {
            return .suppress(.cap)
        }
        // Whom an e-mail does not wake may get a service message at night; offers and reminders wait for the morning.
        let isExempt = purpose == .security || (purpose == .service && isHourChosen)
        guard let morning = self.endOfQuiet(at: now, in: reach.zone), !isExempt else {
            return allowed.first.map { .tell($0) } ?? .suppress(.unreachable)
        }
        if purpose == .service, let silent = allowed.first(where: { $0 != .sms }) { return .tell(silent) }
        return wait(morning)
    }

    /// When the quiet hours end; nil outside of them.
    /// - Parameter zone: nil for the zone of those of whom nothing is known.
    func endOfQuiet(at now: Timestamp, in zone: Duration? = nil) -> Timestamp? {
        let (day, zone): (Int64, Duration) = (86_400, zone ?? self.zone)
        let local = (now + zone).secondsSince1970
        let second = ((local % day) + day) % day
        let hour = second / 3600
        guard hour >= self.quietFrom || hour < self.quietUntil else { return nil }
        let midnight = local - second + (hour >= self.quietFrom ? day : 0)
        return Timestamp(secondsSince1970: midnight + self.quietUntil * 3600) - zone
    }

    private func cap(of purpose: Notify.Purpose) -> Cap? {
        switch purpose {
        case .reminder: self.reminders
        case .advertising: self.advertising
        case .service, .security: nil
        }
    }
}

extension Notify.Purpose {
    /// Whether it is told to those only who agreed to it.
    var needsConsent: Bool { self == .reminder || self == .advertising }

    /// What members agree to, as the consent ledger calls it.
    var consent: String? {
        switch self {
        case .reminder: "reminders"
        case .advertising: "marketing"
        case .service, .security: nil
        }
    }
}

/// What somebody answers who wants no more advertising by SMS.
enum StopWord {
    private static let words: Set<String> = ["стоп", "stop", "отписка", "отписаться", "отмена"]

    /// Whether the text is one of the words and nothing else.
    static func isIn(_ text: String) -> Bool {
        Self.words.contains(String(text.lowercased().filter { $0.isLetter }))
    }

    /// What stands below an advertisement.
    static func hint(_ channel: Notify.Channel, isEnglish: Bool) -> String {
        switch (channel, isEnglish) {
        case (.sms, false): "\nОтказ: ответьте СТОП"
        case (.sms, true): "\nReply STOP to end"
        case (.email, false): "\n\nНе хотите получать рекламу? Отключите её в настройках профиля.\n"
        case (.email, true): "\n\nNo more offers? Switch them off in the settings of your profile.\n"
        case (.push, _): ""
        }
    }
}
