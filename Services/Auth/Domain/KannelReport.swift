/// What Kannel's delivery reports say (`dlr-mask` in its user's guide).
enum KannelReport {
    /// The state that a report means; nil for a number that is none of Kannel's.
    static func state(_ status: Int) -> DeliveryState? {
        switch status {
        case 1: .delivered
        case 2, 16: .failed
        case 4, 8: .accepted
        default: nil
        }
    }
}
