internal import NIOConcurrencyHelpers

/// How the next orders go wrong.
public enum PartnerFault: String, Codable, CaseIterable, Sendable {
    case slow, error, reject, garbage
    case errorAfterAccepting = "error-after-accepting"
    case timeoutAfterAccepting = "timeout-after-accepting"
    case answerTwice = "answer-twice"
    case rejectLate = "reject-late"
    case loseOrder = "lose-order"
}

/// An order as the partner keeps it.
public struct PartnerOrder: Codable, Hashable, Sendable {
    /// The other side's id: the same again is the same order.
    public let order: String
    public let account: String?
    public let offer: String
    public let units: Int64
    public let points: Int64
    /// `accepted`, `credited`, `rejected`.
    public internal(set) var status: String
    public internal(set) var reason: String?
    /// What the partner calls it.
    public internal(set) var reference: String?
    /// How often it was asked for.
    public internal(set) var requests = 1
}

/// What the simulated partner knows. In memory; safe from any thread.
public final class PartnerBook: Sendable {
    private struct State {
        var orders: [String: PartnerOrder] = [:]
        var faults: [PartnerFault] = []
        var lost: Set<String> = []
        var lateRejections: Set<String> = []
        /// News that is not told yet.
        var untold: [String] = []
        var lastReference = 77_000
        var webhook: String?
    }

    private let state = NIOLockedValueBox(State())

    /// Knows nothing.
    public init() {}

    /// Where news is told; nil: there are no webhooks.
    public var webhook: String? {
        get { self.state.withLockedValue { $0.webhook } }
        set { self.state.withLockedValue { $0.webhook = newValue } }
    }

    /// All orders that were made, also lost ones, by their ids.
    public var orders: [PartnerOrder] {
        self.state.withLockedValue { $0.orders.values.sorted { $0.order < $1.order } }
    }

    /// The next orders go wrong in this way.
    public func misbehave(_ fault: PartnerFault, times: Int = 1) {
        self.state.withLockedValue { $0.faults += Array(repeating: fault, count: times) }
    }

    /// Forgets all faults that are to come.
    public func behave() {
        self.state.withLockedValue { $0.faults = [] }
    }

    /// What goes wrong with this request; nil when nothing does.
    func nextFault() -> PartnerFault? {
        self.state.withLockedValue { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
    }

    /// Makes an order, or finds it.
    func make(_ order: PartnerOrder, fault: PartnerFault?) -> PartnerOrder {
        self.state.withLockedValue { state in
            if var known = state.orders[order.order] {
                known.requests += 1
                state.orders[order.order] = known
                state.lost.remove(order.order)
                return known
            }
            var made = order
            state.lastReference += 1
            made.reference = "P-\(state.lastReference)"
            switch fault {
            case .reject:
                made.status = "rejected"
                made.reason = "account-closed"
            case .answerTwice:
                made.status = "credited"
                state.untold += [made.order, made.order]
            case .rejectLate: state.lateRejections.insert(made.order)
            case .loseOrder: state.lost.insert(made.order)
            default: break
            }
            state.orders[made.order] = made
            return made
        }
    }

    /// How an order stands; nil when there is none, as far as the partner remembers. Asking moves time on for late
    /// rejections.
    func find(_ order: String) -> PartnerOrder? {
        self.state.withLockedValue { state in
            guard var known = state.orders[order], !state.lost.contains(order) else { return nil }
            if state.lateRejections.remove(order) != nil {
                (known.status, known.reason) = ("rejected", "account-closed")
                state.orders[order] = known
            }
            return known
        }
    }

    /// Credits what is accepted; returns how many orders that are.
    @discardableResult
    public func credit() -> Int {
        self.state.withLockedValue { state in
            let waiting = state.orders.values.filter { order in
                order.status == "accepted" && !state.lateRejections.contains(order.order)
                    && !state.lost.contains(order.order)
            }
            for order in waiting {
                state.orders[order.order]?.status = "credited"
                state.untold.append(order.order)
            }
            return waiting.count
        }
    }

    /// Takes the news that is to be told.
    func takeNews() -> [PartnerOrder] {
        self.state.withLockedValue { state in
            defer { state.untold = [] }
            return state.untold.compactMap { state.orders[$0] }
        }
    }

    /// News that could not be told is told later.
    func putBack(_ orders: [PartnerOrder]) {
        self.state.withLockedValue { $0.untold += orders.map(\.order) }
    }

    /// The daily file of all orders that are decided.
    public func dailyFile() -> String {
        let rows = self.orders.filter { $0.status != "accepted" }.map { order in
            let note = order.status == "rejected" ? order.reason : order.reference
            return "\(order.order);\(order.status);\(order.status == "rejected" ? 0 : order.units);\(note ?? "")"
        }
        return (["order;status;units;reference"] + rows).joined(separator: "\n") + "\n"
    }
}
