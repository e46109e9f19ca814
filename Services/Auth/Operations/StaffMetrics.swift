import Metrics

/// The counters of colleagues' logins. No label is personal.
struct StaffMetrics: Sendable {
    private let opened = Counter(label: "auth_staff_logins_total", dimensions: [("outcome", "opened")])
    private let refused = Counter(label: "auth_staff_logins_total", dimensions: [("outcome", "refused")])
    private let throttled = Counter(label: "auth_staff_logins_total", dimensions: [("outcome", "throttled")])
    private let views = Counter(label: "auth_personal_data_views_total")

    func loggedIn(_ isOpened: Bool) { (isOpened ? self.opened : self.refused).increment() }
    func loginThrottled() { self.throttled.increment() }
    func personalDataViewed() { self.views.increment() }
}
