import Kernel

/// The life of a gift certificate.
///
/// ```
/// draft → paid → scheduled → delivering → delivered → activated → partly-used → used
///   └ cancelled                └ (undelivered: scheduled again with another address)
/// paid…partly-used → blocked → back; paid…delivered → refunded; delivered…partly-used → expired
/// ```
enum CertificateState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Can be changed; nobody has paid.
    case draft
    /// The points are taken, the code exists.
    case paid
    /// Waits for its hour.
    case scheduled
    /// Handed to the notifier; no word of its arrival yet.
    case delivering
    /// With the recipient.
    case delivered
    /// A member has it, or a till has accepted it for the first time.
    case activated
    case partlyUsed = "partly-used"
    /// Nothing is left.
    case used
    /// Dropped before it was paid.
    case cancelled
    /// Stopped by a colleague.
    case blocked
    /// The points went back.
    case refunded
    /// Its time is over. Never one that money has bought.
    case expired

    /// Where it can go from here. Blocking remembers where it came from and can go back there.
    var successors: Set<CertificateState> {
        switch self {
        case .draft: [.paid, .cancelled]
        case .paid: [.scheduled, .delivered, .activated, .blocked, .refunded]
        case .scheduled: [.delivering, .delivered, .blocked, .refunded]
        case .delivering: [.scheduled, .delivered, .activated, .partlyUsed, .used, .blocked, .refunded]
        case .delivered: [.activated, .partlyUsed, .used, .blocked, .refunded, .expired]
        case .activated: [.partlyUsed, .used, .blocked, .refunded, .expired]
        case .partlyUsed: [.partlyUsed, .used, .blocked, .expired]
        case .blocked: [.paid, .scheduled, .delivering, .delivered, .activated, .partlyUsed, .refunded]
        case .used, .cancelled, .refunded, .expired: []
        }
    }

    func canBecome(_ next: CertificateState) -> Bool { self.successors.contains(next) }

    /// Whether a till takes it. One on its way as well: the SMS may arrive before the word of its arrival.
    var isSpendable: Bool {
        switch self {
        case .delivering, .delivered, .activated, .partlyUsed: true
        case .draft, .paid, .scheduled, .used, .cancelled, .blocked, .refunded, .expired: false
        }
    }

    /// Whether a member can make it theirs.
    var isClaimable: Bool {
        switch self {
        case .delivering, .delivered, .activated, .partlyUsed: true
        case .draft, .paid, .scheduled, .used, .cancelled, .blocked, .refunded, .expired: false
        }
    }

    /// Whether the recipient can still be changed by the giver: until it has arrived.
    var isAddressable: Bool { self == .draft || self == .paid || self == .scheduled || self == .delivering }
}

/// Where the money of a certificate comes from.
enum Funding: String, Hashable, Sendable, Codable {
    /// Points, ten a rouble.
    case points
    /// A payment with money: such a certificate never expires (the law calls it an advance payment).
    case money
}
