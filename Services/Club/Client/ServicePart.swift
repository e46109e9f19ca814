/// Who answers HTTP in a system: the services, and the demo's partners.
enum ServicePart: String, CaseIterable, Sendable {
    case auth, ledger, promotions, charity, support
    case exchange = "partners_exchange"
    case gifts = "gift_certificates"
    /// What the demo has in the place of real partners; only there.
    case partners = "partner_simulator"

    /// The services alone.
    static let services = Self.allCases.filter { $0 != .partners }
}
