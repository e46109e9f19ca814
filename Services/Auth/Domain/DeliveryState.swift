/// How far a message came. Gateways report twice and out of order, so a state only ever rises; that a phone showed the
/// message (`delivered`) beats an earlier report that it could not.
enum DeliveryState: Int16, Hashable, Sendable, Comparable {
    case queued = 0
    case accepted = 1
    case failed = 2
    case delivered = 3

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
