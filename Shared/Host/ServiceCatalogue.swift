internal import Kernel

/// The services of the house in the order of their ports.
enum ServiceCatalogue {
    /// A service's port is the base port plus its place here; a new service goes to the end.
    static let services: [ServiceName] = [
        "auth", "ledger", "promotions", "partners_exchange", "charity", "gift_certificates", "support",
    ]

    /// Where a service's port is, counted from the base port.
    static func portOffset(of service: ServiceName) -> Int {
        Self.services.firstIndex(of: service) ?? Self.services.count
    }

    /// The service that a setting's name belongs to; nil for settings of the process.
    static func owner(of setting: String) -> ServiceName? {
        Self.services.first { setting.hasPrefix(Self.prefix(of: $0)) }
    }

    /// What the names of a service's settings begin with.
    static func prefix(of service: ServiceName) -> String {
        "CLUB_\(service.text.uppercased())_"
    }
}
