import Contracts
import Metrics

/// The counters of what is told to people. No label is personal.
struct NoticeMetrics: Sendable {
    private let moved: [Key: Counter]
    private let suppressed: [NoticePolicy.Suppression: Counter]
    private let held = Counter(label: "auth_notifications_held_total")
    private let failures: [Notify.Channel: Counter]
    private let stops = Counter(label: "auth_advertising_stops_total")
    private let reports = Counter(label: "auth_delivery_reports_total")

    private struct Key: Hashable {
        let channel: Notify.Channel
        let state: NoticeState
    }

    init() {
        var moved: [Key: Counter] = [:]
        for channel in Notify.Channel.allCases {
            for (state, name) in [
                (NoticeState.sent, "sent"), (.undelivered, "undelivered"), (.delivered, "delivered"),
            ] {
                moved[Key(channel: channel, state: state)] = Counter(
                    label: "auth_notifications_total", dimensions: [("channel", channel.rawValue), ("state", name)])
            }
        }
        self.moved = moved
        self.suppressed = Dictionary(
            uniqueKeysWithValues: NoticePolicy.Suppression.allCases.map {
                ($0, Counter(label: "auth_notifications_suppressed_total", dimensions: [("reason", $0.rawValue)]))
            })
        self.failures = Dictionary(
            uniqueKeysWithValues: Notify.Channel.allCases.map {
                ($0, Counter(label: "auth_gateway_failures_total", dimensions: [("channel", $0.rawValue)]))
            })
    }

    func moved(_ channel: Notify.Channel, to state: NoticeState) {
        self.moved[Key(channel: channel, state: state)]?.increment()
    }
    func suppressed(_ reason: NoticePolicy.Suppression) { self.suppressed[reason]?.increment() }
    func heldBack() { self.held.increment() }
    func gatewayFailed(_ channel: Notify.Channel) { self.failures[channel]?.increment() }
    func advertisingStopped() { self.stops.increment() }
    func reported() { self.reports.increment() }
}
