import Metrics

/// The counters of auth. Made once, inside the scope of the process's metrics factory. No label is personal.
struct AuthMetrics: Sendable {
    /// What became of an answer to a challenge.
    enum Check: String, Sendable, CaseIterable {
        case right
        case wrong
        /// Nothing was compared: unknown, lapsed, used, or out of attempts.
        case closed
    }

    private let issued: [CodeLength: Counter]
    private let refused: [Quota: Counter]
    private let checks: [Check: Counter]
    private let cardLogins: [Bool: Counter] = [
        true: Counter(label: "auth_card_logins_total", dimensions: [("outcome", "decoy")]),
        false: Counter(label: "auth_card_logins_total", dimensions: [("outcome", "sent")]),
    ]
    private let resent = Counter(label: "auth_codes_resent_total")
    private let raised = Gauge(label: "auth_failure_rate_raised")
    private let delivered: [DeliveryState: Counter]
    private let registered: [MemberOrigin: Counter]
    private let refreshes: [String: Counter]

    init() {
        self.issued = [
            .four: Counter(label: "auth_challenges_issued_total", dimensions: [("digits", "4")]),
            .six: Counter(label: "auth_challenges_issued_total", dimensions: [("digits", "6")]),
        ]
        self.refused = Self.counters(Quota.allCases) {
            Counter(label: "auth_challenges_refused_total", dimensions: [("quota", $0.rawValue)])
        }
        self.checks = Self.counters(Check.allCases) {
            Counter(label: "auth_code_checks_total", dimensions: [("outcome", $0.rawValue)])
        }
        self.delivered = Self.counters([.accepted, .failed, .delivered]) {
            Counter(label: "auth_sms_total", dimensions: [("state", "\($0)")])
        }
        self.registered = Self.counters(MemberOrigin.allCases) {
            Counter(label: "auth_members_registered_total", dimensions: [("source", $0.rawValue)])
        }
        self.refreshes = Self.counters(["rotated", "replayed", "reused", "refused"]) {
            Counter(label: "auth_refreshes_total", dimensions: [("outcome", $0)])
        }
    }

    private static func counters<Key: Hashable>(_ keys: [Key], _ make: (Key) -> Counter) -> [Key: Counter] {
        Dictionary(uniqueKeysWithValues: keys.map { ($0, make($0)) })
    }

    func challengeIssued(_ digits: CodeLength) { self.issued[digits]?.increment() }
    func challengeRefused(_ quota: Quota) { self.refused[quota]?.increment() }
    func codeChecked(_ outcome: Check) { self.checks[outcome]?.increment() }
    func cardLogIn(isDecoy: Bool) { self.cardLogins[isDecoy]?.increment() }
    func codeResent() { self.resent.increment() }
    func failureRateRaised(_ isRaised: Bool) { self.raised.record(isRaised ? 1 : 0) }
    func messageCame(to state: DeliveryState) { self.delivered[state]?.increment() }
    func membersRegistered(_ count: Int, from source: MemberOrigin) { self.registered[source]?.increment(by: count) }

    func refreshed(_ decision: RefreshRules.Decision) {
        let outcome =
            switch decision {
            case .rotate: "rotated"
            case .replay: "replayed"
            case .revokeFamily: "reused"
            case .refuse: "refused"
            }
        self.refreshes[outcome]?.increment()
    }
}
