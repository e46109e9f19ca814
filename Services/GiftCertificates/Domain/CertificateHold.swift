import Kernel

/// Money of a certificate that a till has set aside, and what became of it.
struct CertificateHold: Hashable, Sendable {
    /// Also the natural key of the transfer in the ledger.
    typealias ID = Identifier<CertificateHold>

    /// `placed` → `captured` or `voided`; `lapsed` when the till never came back.
    enum State: String, Hashable, Sendable { case placed, captured, voided, lapsed }

    let id: ID
    let certificate: GiftCertificate.ID
    let store: StoreID
    /// The key of the till that asked, and the key under which it asked.
    let till: String
    let idempotencyKey: IdempotencyKey
    /// SHA-256 of the request: the same key with another request is a mistake of the till.
    let fingerprint: [UInt8]
    let amount: Kopecks
    let captured: Kopecks?
    let state: State
    let expiresAt: Timestamp
}

/// Why a till cannot spend a certificate.
enum SpendingRefusal: Error, Hashable, Sendable {
    /// No such certificate, or none that this till may know of. Says no more, on purpose.
    case unknownCertificate
    /// Another till has set money of it aside: "in use, try again", never "empty".
    case inUse
    /// Less is left than was asked for.
    case insufficientMoney(remaining: Kopecks)
    /// The same Idempotency-Key was used for another request.
    case keyReused
    /// The key speaks for another store.
    case foreignStore
    /// No such authorisation, or one of another till's store.
    case unknownAuthorisation
    /// It is captured, voided or lapsed already.
    case alreadyEnded(CertificateHold.State)
    /// More than was set aside.
    case overAuthorised(Kopecks)
}
