internal import Kernel

/// That a transaction stands in the books as it says: enough to check without the books.
public struct TransactionProof: Hashable, Sendable, Codable {
    /// The name of this form.
    public static let format = "club.ledger.proof.v1"

    /// ``format``.
    public let format: String
    /// The transaction, whole.
    public let transaction: BookEntry
    /// Its place among the block's transactions, from 0.
    public let index: Int64
    /// What is hashed with it, one after the other, to come to the block's root.
    public let path: [HexBytes]
    /// The block that seals it.
    public let block: SealBlock
    /// The key that signed the block.
    public let key: SealPublicKey

    /// Makes the proof of the leaf at `index`.
    init(_ entry: BookEntry, at index: Int, of leaves: [MerkleTree.Hash], in block: SealBlock, key: SealPublicKey) {
        self.format = Self.format
        self.transaction = entry
        self.index = Int64(index)
        self.path = MerkleTree.path(to: index, in: leaves[...]).map { HexBytes($0) }
        self.block = block
        self.key = key
    }
}

extension TransactionProof {
    /// What a proof can be wrong about.
    public enum Flaw: String, Sendable, Codable, CaseIterable {
        /// It is written in a form that this program does not know.
        case format
        /// The transaction is not of the block's range.
        case range
        /// The transaction and its path do not make the block's root: one of them was changed.
        case root
        /// The key's name is not made of the key, or the block names another one.
        case key
        /// The block's signature is not of this key: the block was changed.
        case signature
        /// The key is not the one that the reader trusts.
        case trust

        /// In a sentence.
        public var meaning: String {
            switch self {
            case .format: "The form of the proof is not known."
            case .range: "The transaction does not belong to the block."
            case .root: "The transaction was changed, or the path is not its own: they do not make the block's root."
            case .key: "The key is not the one that the block names."
            case .signature: "The block's signature is not of this key: the block was changed."
            case .trust: "The block is signed with another key than the trusted one."
            }
        }
    }

    /// What is wrong with it; nothing when it holds.
    /// - Parameter trusted: the key that the reader knows from elsewhere, by its name or its 64 digits. Without it the
    ///   proof says that whoever has the proof's own key has sealed the transaction.
    public func flaws(trusting trusted: String? = nil) -> [Flaw] {
        var flaws: [Flaw] = []
        if self.format != Self.format { flaws.append(.format) }
        if !(self.block.xidFrom..<max(self.block.xidFrom, self.block.xidTo)).contains(self.transaction.xid) {
            flaws.append(.range)
        }
        let root = MerkleTree.root(
            from: self.transaction.leaf, at: Int(self.index), of: Int(self.block.transactions),
            path: self.path.map(\.bytes))
        if root != self.block.root.bytes { flaws.append(.root) }
        if !self.key.isNamedRightly || self.key.id != self.block.keyID { flaws.append(.key) }
        if !self.key.isSignature(self.block.signature, of: self.block.canonical) { flaws.append(.signature) }
        if let trusted, trusted != self.key.id, HexBytes(trusted) != self.key.publicKey { flaws.append(.trust) }
        return flaws
    }
}
