/// How somebody became a member.
enum MemberOrigin: String, Hashable, Sendable, CaseIterable {
    /// On the web or in the app.
    case web
    case importing = "import"
    /// A draft of the support line, confirmed by SMS.
    case support
    /// A paper form.
    case paper
    /// A printed card, activated by number, personal data and SMS.
    case plasticCard = "plastic-card"

    /// As the other services hear it.
    var way: String { self == .plasticCard ? "card" : self.rawValue }

    /// Where the consents were given.
    var consentSource: ConsentSource {
        switch self {
        case .web, .plasticCard: .web
        case .importing: .importing
        case .support: .support
        case .paper: .paper
        }
    }
}
