import Kernel

/// A gift certificate as its row has it.
struct Certificate: Hashable, Sendable {
    let id: GiftCertificate.ID
    let buyer: Member.ID
    let holder: Member.ID?
    let state: CertificateState
    let blockedFrom: CertificateState?
    let faceValue: Kopecks
    let remaining: Kopecks
    let held: Kopecks
    let funding: Funding
    let design: GiftDesign
    let way: GiftRecipient.Way
    /// Sealed; nil when erased.
    let recipient: [UInt8]?
    /// Sealed; nil when there are none, or erased.
    let words: [UInt8]?
    let wish: DeliveryWish
    let deliverAt: Timestamp?
    /// Sealed; nil before the payment.
    let code: [UInt8]?
    let link: [UInt8]?
    /// The redemption that pays for it; the ledger knows the certificate by the same number.
    let payment: LedgerIssue?
    let issuedBy: LedgerTransaction.ID?
    let notice: Notice.ID?
    let sentAt: Timestamp?
    let deliveredAt: Timestamp?
    let undeliveredAt: Timestamp?
    let expiresAt: Timestamp?
    let createdAt: Timestamp

    /// By which number the ledger knows the certificate.
    typealias LedgerIssue = Identifier<IssueNumber>
    /// Names ``LedgerIssue``.
    enum IssueNumber {}

    /// What a till could still set aside.
    var free: Kopecks { self.remaining.subtracting(self.held) ?? .zero }

    /// Whether the certificate can be spent, claimed or given back by time's leave.
    func isOver(at now: Timestamp) -> Bool { self.expiresAt.map { $0 <= now } ?? false }

    /// Where it stands as money leaves it.
    func state(afterSpending amount: Kopecks) -> CertificateState {
        amount == self.remaining ? .used : .partlyUsed
    }
}

/// What a giver decides about a certificate.
struct GiftOrder: Sendable {
    let value: FaceValue
    let design: GiftDesign
    let recipient: GiftRecipient
    let words: GiftWords?
    let wish: DeliveryWish
}
