public import Kernel

// What the transfers of the ledger say, one by one. Ids are made by the sender: they are the natural keys.

/// Points for goods that came back: those spent on them return to their lots, those earned with them are taken back.
public struct ReturnGoods: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose points.
    public let member: Member.ID
    /// The receipt of the sale.
    public let receipt: Receipt.ID
    /// All lines of that receipt, in their order, also those that stay sold. The same with each return.
    public let lines: [Line]
    /// The holds that paid for the receipt.
    public let holds: [Hold.ID]
    /// What came back now.
    public let returned: [Returned]
    /// When it came back.
    public let effectiveAt: Timestamp

    /// Describes it.
    public init(
        id: LedgerTransfer.ID, member: Member.ID, receipt: Receipt.ID, lines: [Line], holds: [Hold.ID] = [],
        returned: [Returned], effectiveAt: Timestamp
    ) {
        (self.id, self.member, self.receipt, self.lines) = (id, member, receipt, lines)
        (self.holds, self.returned, self.effectiveAt) = (holds, returned, effectiveAt)
    }

    /// A line of the sale.
    public struct Line: Codable, Hashable, Sendable {
        /// What was paid for it.
        public let sum: Kopecks
        /// What was earned with it; nil on any line: the receipt's points are allocated over the sums.
        public let earned: Points?

        /// Describes it.
        public init(sum: Kopecks, earned: Points? = nil) { (self.sum, self.earned) = (sum, earned) }
    }

    /// A line that came back, or a part of it.
    public struct Returned: Codable, Hashable, Sendable {
        /// Its number in `lines`, from 1.
        public let line: Int32
        /// How much of its sum.
        public let sum: Kopecks

        /// Describes it.
        public init(line: Int32, sum: Kopecks) { (self.line, self.sum) = (line, sum) }
    }
}

/// Write off what of a member's points has expired.
public struct ExpireMember: Codable, Hashable, Sendable {
    /// Whose points.
    public let member: Member.ID

    /// Describes it.
    public init(member: Member.ID) { self.member = member }
}

/// Give or take stickers of a campaign.
public struct MoveStickers: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose points.
    public let member: Member.ID
    /// The campaign's name.
    public let campaign: String
    /// Above zero: given; below: exchanged.
    public let count: Int64
    /// The receipt or the coupon that it belongs to.
    public let subject: LedgerTransfer.ID?

    /// Describes it.
    public init(
        id: LedgerTransfer.ID, member: Member.ID, campaign: String, count: Int64, subject: LedgerTransfer.ID? = nil
    ) {
        (self.id, self.member, self.campaign, self.count, self.subject) = (id, member, campaign, count, subject)
    }
}

/// The partner has credited an exchange: its points leave the clearing account.
public struct SettleExchange: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose points.
    public let member: Member.ID
    /// The exchange's hold.
    public let hold: Hold.ID

    /// Describes it.
    public init(id: LedgerTransfer.ID, member: Member.ID, hold: Hold.ID) {
        (self.id, self.member, self.hold) = (id, member, hold)
    }
}

/// Pay a partner for settled exchanges, or a fund for donations, that began before a moment.
public struct PayOut: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose accounts.
    public let purpose: HoldPurpose
    /// What began before this moment.
    public let until: Timestamp

    /// Describes it.
    public init(id: LedgerTransfer.ID, purpose: HoldPurpose, until: Timestamp) {
        (self.id, self.purpose, self.until) = (id, purpose, until)
    }
}

/// Issue a gift certificate; `id` is the certificate's.
public struct IssueCertificate: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Who pays.
    public let member: Member.ID
    /// Face value, 200 to 3000 roubles.
    public let kopecks: Kopecks
    /// The hold for `certificate` that pays with points; nil: it was paid with money.
    public let hold: Hold.ID?

    /// Describes it.
    public init(id: LedgerTransfer.ID, member: Member.ID, kopecks: Kopecks, hold: Hold.ID?) {
        (self.id, self.member, self.kopecks, self.hold) = (id, member, kopecks, hold)
    }
}

/// Spend money of a gift certificate.
public struct RedeemCertificate: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Who holds the certificate.
    public let member: Member.ID
    /// The certificate, by the id of its issue.
    public let certificate: LedgerTransfer.ID
    /// How much.
    public let kopecks: Kopecks

    /// Describes it.
    public init(id: LedgerTransfer.ID, member: Member.ID, certificate: LedgerTransfer.ID, kopecks: Kopecks) {
        (self.id, self.member, self.certificate, self.kopecks) = (id, member, certificate, kopecks)
    }
}

/// Write off what is left on a gift certificate whose time is over. When that is, its sender knows.
public struct ExpireCertificate: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Who holds the certificate.
    public let member: Member.ID
    /// The certificate, by the id of its issue.
    public let certificate: LedgerTransfer.ID

    /// Describes it.
    public init(id: LedgerTransfer.ID, member: Member.ID, certificate: LedgerTransfer.ID) {
        (self.id, self.member, self.certificate) = (id, member, certificate)
    }
}

/// Ask for a correction of a member's points.
public struct RequestAdjustment: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose points.
    public let member: Member.ID
    /// Above zero: given; below: taken.
    public let points: Int64
    /// What for.
    public let cause: Cause
    /// Who asks.
    public let maker: Staff.ID
    /// The ticket or order that it belongs to.
    public let ticket: String
    /// Why, for the one who decides.
    public let reason: String

    /// What kind of correction.
    public enum Cause: String, Codable, Hashable, Sendable {
        /// Something was booked wrongly.
        case correction
        /// A gift by support; never below zero.
        case goodwill
    }

    /// Describes it.
    public init(
        id: LedgerTransfer.ID, member: Member.ID, points: Int64, cause: Cause, maker: Staff.ID, ticket: String,
        reason: String
    ) {
        (self.id, self.member, self.points, self.cause) = (id, member, points, cause)
        (self.maker, self.ticket, self.reason) = (maker, ticket, reason)
    }
}

/// Decide about a correction that somebody else has asked for.
public struct DecideAdjustment: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose points.
    public let member: Member.ID
    /// The request.
    public let adjustment: LedgerTransfer.ID
    /// Who decides.
    public let checker: Staff.ID
    /// What the decision is.
    public let approves: Bool

    /// Describes it.
    public init(
        id: LedgerTransfer.ID, member: Member.ID, adjustment: LedgerTransfer.ID, checker: Staff.ID, approves: Bool
    ) {
        (self.id, self.member, self.adjustment) = (id, member, adjustment)
        (self.checker, self.approves) = (checker, approves)
    }
}

/// Bring everything of one card to another of the same person.
public struct MergeMembers: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// The card that goes.
    public let source: Member.ID
    /// The card that stays.
    public let member: Member.ID

    /// Describes it.
    public init(id: LedgerTransfer.ID, source: Member.ID, member: Member.ID) {
        (self.id, self.source, self.member) = (id, source, member)
    }
}

/// Undo a transaction by its mirror, for whom the member is now.
public struct ReverseTransaction: Codable, Hashable, Sendable {
    /// The natural key.
    public let id: LedgerTransfer.ID
    /// Whose transaction it is.
    public let member: Member.ID
    /// The transaction.
    public let reverses: LedgerTransaction.ID

    /// Describes it.
    public init(id: LedgerTransfer.ID, member: Member.ID, reverses: LedgerTransaction.ID) {
        (self.id, self.member, self.reverses) = (id, member, reverses)
    }
}

/// Something to be done in the points ledger.
public enum LedgerTransfer {
    /// Made by whoever asks for it, which makes asking twice harmless.
    public typealias ID = Identifier<LedgerTransfer>
}
