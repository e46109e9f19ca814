public import Kernel

/// A transaction with its postings, whole, as it stands in the books and as it is sealed.
public struct BookEntry: Hashable, Sendable, Codable {
    /// One debit and one credit.
    public struct Posting: Hashable, Sendable, Codable {
        /// From 1.
        public let line: Int64
        /// The account debited, by its code.
        public let debit: String
        /// The account credited.
        public let credit: String
        /// How many of the accounts' asset.
        public let amount: Int64
        /// The number of the member's lot that it adds to or takes from.
        public let lot: Int64?
        /// The rule that paid it.
        public let rule: String?
    }

    /// The transaction.
    public let id: LedgerTransaction.ID
    /// Whose.
    public let member: Member.ID
    /// The member's transactions are numbered from 1 without gaps.
    public let number: Int64
    /// `earn`, `hold`, `capture`, …
    public let kind: String
    /// The receipt, hold or whatever else it is about: a UUID in lower case.
    public let subject: String?
    /// When it happened.
    public let effectiveAt: Timestamp
    /// When the ledger learnt of it.
    public let recordedAt: Timestamp
    /// The database transaction that wrote it.
    public let xid: Int64
    /// The member's balances after it.
    public let availableAfter, pendingAfter, heldAfter, debtAfter: Int64
    /// In their order.
    public let postings: [Posting]
}

extension BookEntry {
    /// What is hashed. A change of what it says needs a new version, and the old one kept for the old blocks.
    var canonical: [UInt8] {
        var bytes = CanonicalBytes("club.ledger.transaction", version: 1)
        bytes.add(self.id)
        bytes.add(self.member)
        bytes.add(self.number)
        bytes.add(self.kind)
        bytes.add(self.subject)
        bytes.add(self.effectiveAt)
        bytes.add(self.recordedAt)
        bytes.add(self.xid)
        for balance in [self.availableAfter, self.pendingAfter, self.heldAfter, self.debtAfter] { bytes.add(balance) }
        bytes.add(Int64(self.postings.count))
        for posting in self.postings {
            bytes.add(posting.line)
            bytes.add(posting.debit)
            bytes.add(posting.credit)
            bytes.add(posting.amount)
            bytes.add(posting.lot)
            bytes.add(posting.rule)
        }
        return bytes.bytes
    }

    /// Its hash as a leaf of a block's tree.
    var leaf: MerkleTree.Hash { MerkleTree.leaf(self.canonical) }
}
