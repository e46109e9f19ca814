import Kernel

/// What a receipt may be, with units. services.md, "Tills", for the times; the rest keeps a mistake of a till small.
enum ReceiptLimits {
    static let linesMax = 2000
    static let operationsMax = 200
    /// Ten billion roubles, so that the sums of a whole receipt fit with room to spare.
    static let kopecksMax: Int64 = 1_000_000_000_000
    /// A thousand million pieces, or a million tonnes.
    static let thousandthsMax: Int64 = 1_000_000_000_000
    static let positionMax: Int64 = 1_000_000
    static let textBytesMax = 256
    static let nameBytesMax = 1024
    static let tagsMax = 16
    static let tagBytesMax = 32
    /// Payments with points, and coupons, of one receipt.
    static let referencesMax = 10
    /// Points of an online order wait at most so long after the sale.
    static let maturityMax = Duration.seconds(60 * 86_400)
    /// A till's clock may run ahead of ours by this much.
    static let aheadMax = Duration.seconds(24 * 3600)
    /// An offline till may deliver a receipt this late.
    static let behindMax = Duration.seconds(30 * 24 * 3600)
    /// Nothing of the programme is older, whatever a historical import says: each month has partitions of its own.
    static let earliest = Timestamp(secondsSince1970: 946_684_800)
    /// Nor later: what colleagues and devices write is between 2000 and 2100.
    static let latest = Timestamp(secondsSince1970: 4_102_444_800)

    static func isSound(_ moment: Timestamp) -> Bool { Self.earliest <= moment && moment <= Self.latest }
}

/// Why a well-formed receipt is not accepted.
enum ReceiptRefusal: Error, Hashable, Sendable {
    case fromTheFuture
    case tooOld
    case unknownCard
    case unknownStore
    /// The till's key belongs to another store.
    case foreignStore
    /// The same fiscal triple was accepted before with other content.
    case fiscalConflict
    /// A payment with points that was not taken, is another member's, or paid for another receipt.
    case paymentMismatch
    /// Whether it can be accepted cannot be said at this moment: the till tries again.
    case undecided
}

/// Who delivers receipts.
struct Till: Hashable, Sendable {
    /// The id of its key.
    let key: String
    /// The only store it speaks for; nil for any.
    let store: StoreID?
    /// Whether it may deliver receipts of any age.
    let mayImport: Bool

    func speaks(for store: StoreID) -> Bool { self.store == nil || self.store == store }
}

extension Sale {
    /// Whether the sale's time lets its receipt in. A till with the right to import history may deliver any past.
    func checkAge(at now: Timestamp, historical: Bool) throws(ReceiptRefusal) {
        guard self.at <= now + ReceiptLimits.aheadMax else { throw .fromTheFuture }
        let earliest = historical ? ReceiptLimits.earliest : now - ReceiptLimits.behindMax
        guard self.at >= earliest else { throw .tooOld }
    }
}
