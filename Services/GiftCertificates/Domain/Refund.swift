import Kernel

/// Points that go back to the giver, by the word of two colleagues.
struct Refund: Hashable, Sendable {
    /// By which the ledger knows it.
    typealias TransferID = Identifier<Refund>

    enum State: String, Hashable, Sendable { case requested, approved, done, refused }

    let certificate: GiftCertificate.ID
    let transfer: TransferID
    let maker: Staff.ID
    let state: State
    let reason: String
}
