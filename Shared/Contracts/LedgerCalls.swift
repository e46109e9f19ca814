public import Kernel

// What anybody may ask of ledger. The caller makes the hold's identifier, which is its natural key: the same call again
// gets the same answer, another call under the same identifier is refused.

/// What held points are for; decides the account that a capture pays into. JSON: its text.
public struct HoldPurpose: RawRepresentable, Codable, Hashable, Sendable {
    /// `till`, `online`, `certificate`, `partner:s7`, `charity:line-of-life`.
    public let rawValue: String

    /// The ledger refuses a purpose that it has no account for.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Paying at a till.
    public static let till = HoldPurpose(rawValue: "till")
    /// Paying for an online order.
    public static let online = HoldPurpose(rawValue: "online")
    /// Paying for a gift certificate.
    public static let certificate = HoldPurpose(rawValue: "certificate")
    /// Exchanging with a partner.
    public static func partner(_ code: String) -> HoldPurpose { HoldPurpose(rawValue: "partner:\(code)") }
    /// Donating to a fund.
    public static func charity(_ fund: String) -> HoldPurpose { HoldPurpose(rawValue: "charity:\(fund)") }
}

/// Why ledger will not place, capture or void a hold.
public enum HoldRefusal: String, Codable, Hashable, Sendable {
    /// The member has fewer points available.
    case insufficientPoints = "insufficient-points"
    /// There is no such member in the books.
    case unknownMember = "unknown-member"
    /// There is no such hold of this member.
    case unknownHold = "unknown-hold"
    /// The identifier belongs to a hold with other contents, or the hold was captured with another amount.
    case holdMismatch = "hold-mismatch"
    /// The hold is captured already.
    case holdCaptured = "hold-captured"
    /// The hold is voided already.
    case holdVoided = "hold-voided"
    /// The hold has run out and its points are free again.
    case holdExpired = "hold-expired"
    /// More points than the hold has.
    case exceedsHold = "exceeds-hold"
    /// A hold or a capture of no points.
    case noPoints = "no-points"
}

/// Set points aside.
public struct PlaceHold: Call, Hashable {
    public static let name = "ledger.place-hold"
    public static let queue: QueueName = "ledger.calls"

    /// Made by the caller.
    public let hold: Hold.ID
    /// Whose points.
    public let member: Member.ID
    /// How many, more than zero.
    public let points: Points
    /// What for.
    public let purpose: HoldPurpose
    /// Seconds after which the points are free again unless captured.
    public let expiresInSeconds: Int64

    /// Asks for a hold.
    public init(
        hold: Hold.ID, member: Member.ID, points: Points, purpose: HoldPurpose, expiresInSeconds: Int64
    ) {
        self.hold = hold
        self.member = member
        self.points = points
        self.purpose = purpose
        self.expiresInSeconds = expiresInSeconds
    }

    /// How it went.
    public enum Reply: Codable, Hashable, Sendable {
        /// The points are set aside; `available` is left.
        case placed(available: Points, expiresAt: Timestamp)
        /// Nothing has changed; `available` is what there is, when the member is known.
        case refused(HoldRefusal, available: Points?)

        private enum Status: String, Codable { case placed, refused }
        private enum CodingKeys: String, CodingKey { case status, available, expiresAt, code }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            switch try container.decode(Status.self, forKey: .status) {
            case .placed:
                self = .placed(
                    available: try container.decode(Points.self, forKey: .available),
                    expiresAt: try container.decode(Timestamp.self, forKey: .expiresAt))
            case .refused:
                self = .refused(
                    try container.decode(HoldRefusal.self, forKey: .code),
                    available: try container.decodeIfPresent(Points.self, forKey: .available))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .placed(let available, let expiresAt):
                try container.encode(Status.placed, forKey: .status)
                try container.encode(available, forKey: .available)
                try container.encode(expiresAt, forKey: .expiresAt)
            case .refused(let code, let available):
                try container.encode(Status.refused, forKey: .status)
                try container.encode(code, forKey: .code)
                try container.encodeIfPresent(available, forKey: .available)
            }
        }
    }
}

/// Spend held points, or a part of them; the rest becomes available again.
public struct CaptureHold: Call, Hashable {
    public static let name = "ledger.capture-hold"
    public static let queue: QueueName = "ledger.calls"

    /// Which hold.
    public let hold: Hold.ID
    /// Whose hold it is.
    public let member: Member.ID
    /// How many points of it; nil for all that are left.
    public let points: Points?
    /// The natural key of a capture that leaves the rest reserved.
    public let capture: LedgerTransfer.ID?
    /// false: the rest stays reserved for further captures, until one closes the hold, it is voided or its time is over.
    public let closes: Bool?
    /// What the points are worth in money that is owed to the partner or fund of the purpose.
    public let worth: Kopecks?
    /// What the shop adds to a donation.
    public let match: Kopecks?

    /// Asks to spend held points and to give back the rest.
    public init(
        hold: Hold.ID, member: Member.ID, points: Points?, worth: Kopecks? = nil, match: Kopecks? = nil
    ) {
        (self.hold, self.member, self.points, self.worth, self.match) = (hold, member, points, worth, match)
        (self.capture, self.closes) = (nil, nil)
    }

    /// Asks to spend a part of held points and to keep the rest reserved.
    public init(
        part: LedgerTransfer.ID, of hold: Hold.ID, member: Member.ID, points: Points, worth: Kopecks? = nil,
        match: Kopecks? = nil
    ) {
        (self.hold, self.member, self.points, self.worth, self.match) = (hold, member, points, worth, match)
        (self.capture, self.closes) = (part, false)
    }

    /// How it went.
    public enum Reply: Codable, Hashable, Sendable {
        /// `points` are spent, `released` went back, `available` is what the member has now.
        case captured(transaction: LedgerTransaction.ID, points: Points, released: Points, available: Points)
        /// Nothing has changed.
        case refused(HoldRefusal)

        private enum Status: String, Codable { case captured, refused }
        private enum CodingKeys: String, CodingKey { case status, transaction, points, released, available, code }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            switch try container.decode(Status.self, forKey: .status) {
            case .captured:
                self = .captured(
                    transaction: try container.decode(LedgerTransaction.ID.self, forKey: .transaction),
                    points: try container.decode(Points.self, forKey: .points),
                    released: try container.decode(Points.self, forKey: .released),
                    available: try container.decode(Points.self, forKey: .available))
            case .refused:
                self = .refused(try container.decode(HoldRefusal.self, forKey: .code))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .captured(let transaction, let points, let released, let available):
                try container.encode(Status.captured, forKey: .status)
                try container.encode(transaction, forKey: .transaction)
                try container.encode(points, forKey: .points)
                try container.encode(released, forKey: .released)
                try container.encode(available, forKey: .available)
            case .refused(let code):
                try container.encode(Status.refused, forKey: .status)
                try container.encode(code, forKey: .code)
            }
        }
    }
}

/// Give held points back. Voiding what is voided already succeeds again.
public struct VoidHold: Call, Hashable {
    public static let name = "ledger.void-hold"
    public static let queue: QueueName = "ledger.calls"

    /// Which hold.
    public let hold: Hold.ID
    /// Whose hold it is.
    public let member: Member.ID

    /// Asks to give held points back.
    public init(hold: Hold.ID, member: Member.ID) {
        self.hold = hold
        self.member = member
    }

    /// How it went.
    public enum Reply: Codable, Hashable, Sendable {
        /// `released` points went back, `available` is what the member has now.
        case voided(released: Points, available: Points)
        /// Nothing has changed.
        case refused(HoldRefusal)

        private enum Status: String, Codable { case voided, refused }
        private enum CodingKeys: String, CodingKey { case status, released, available, code }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            switch try container.decode(Status.self, forKey: .status) {
            case .voided:
                self = .voided(
                    released: try container.decode(Points.self, forKey: .released),
                    available: try container.decode(Points.self, forKey: .available))
            case .refused:
                self = .refused(try container.decode(HoldRefusal.self, forKey: .code))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .voided(let released, let available):
                try container.encode(Status.voided, forKey: .status)
                try container.encode(released, forKey: .released)
                try container.encode(available, forKey: .available)
            case .refused(let code):
                try container.encode(Status.refused, forKey: .status)
                try container.encode(code, forKey: .code)
            }
        }
    }
}

/// Open the accounts of a partner or a fund. Opening what is open changes nothing.
public struct OpenPurpose: Call, Hashable {
    public static let name = "ledger.open-purpose"
    public static let queue: QueueName = "ledger.calls"

    /// `partner:…` or `charity:…`.
    public let purpose: HoldPurpose

    /// Asks for the accounts of `purpose`.
    public init(purpose: HoldPurpose) { self.purpose = purpose }

    /// Whether holds for the purpose can be placed now.
    public struct Reply: Codable, Hashable, Sendable {
        /// false for a purpose that has no accounts of its own.
        public let isOpen: Bool

        /// Answers.
        public init(isOpen: Bool) { self.isOpen = isOpen }
    }
}

/// Which points of a partner or a fund are taken and not settled yet? Answered in pages; the account that they lie on
/// returns to zero.
public struct ListClearing: Call, Hashable {
    public static let name = "ledger.list-clearing"
    public static let queue: QueueName = "ledger.calls"
    public static let durability = CallDurability.volatile

    /// `partner:…` or `charity:…`.
    public let purpose: HoldPurpose
    /// The last hold of the page before; nil for the first page.
    public let after: Hold.ID?
    /// The size of a page, 1…1000.
    public let limit: Int

    /// Asks for one page.
    public init(purpose: HoldPurpose, after: Hold.ID?, limit: Int) {
        (self.purpose, self.after, self.limit) = (purpose, after, limit)
    }

    /// Points that wait to be settled.
    public struct Item: Codable, Hashable, Sendable {
        /// Whose they were.
        public let member: Member.ID
        /// The hold that they were taken from.
        public let hold: Hold.ID
        /// How many.
        public let points: Points
        /// When they were taken.
        public let openedAt: Timestamp

        /// Describes them.
        public init(member: Member.ID, hold: Hold.ID, points: Points, openedAt: Timestamp) {
            (self.member, self.hold, self.points, self.openedAt) = (member, hold, points, openedAt)
        }
    }

    /// One page.
    public struct Reply: Codable, Hashable, Sendable {
        /// By the hold; fewer than `limit` on the last page.
        public let items: [Item]

        /// Answers with a page.
        public init(items: [Item]) { self.items = items }
    }
}
