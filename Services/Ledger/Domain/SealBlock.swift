internal import Crypto
public import Kernel

/// A block of the chain that seals the books: every transaction of a range of database transaction ids.
public struct SealBlock: Hashable, Sendable, Codable {
    /// From 1, without gaps.
    public let number: Int64
    /// The hash of the block before it; of the first one, 32 random bytes that make this ledger's chain its own.
    public let previous: HexBytes
    /// The first id of the range, which is where the block before it ends.
    public let xidFrom: Int64
    /// The first id behind the range.
    public let xidTo: Int64
    /// How many transactions it seals.
    public let transactions: Int64
    /// The root of their Merkle tree, in the order of (xid, id).
    public let root: HexBytes
    /// When it was sealed.
    public let sealedAt: Timestamp
    /// The key that signed it.
    public let keyID: String
    /// Ed25519 over ``canonical``.
    public let signature: HexBytes
}

extension SealBlock {
    /// A block that follows `last`, signed.
    init(
        after last: (number: Int64, hash: HexBytes), range: Range<Int64>, leaves: [MerkleTree.Hash], at now: Timestamp,
        key: SealKey
    ) throws {
        let unsigned = SealBlock(
            number: last.number + 1, previous: last.hash, xidFrom: range.lowerBound, xidTo: range.upperBound,
            transactions: Int64(leaves.count), root: HexBytes(MerkleTree.root(of: leaves[...])), sealedAt: now,
            keyID: key.publicKey.id, signature: HexBytes([]))
        self.init(unsigned, signature: try key.signature(of: unsigned.canonical))
    }

    private init(_ block: SealBlock, signature: HexBytes) {
        self.init(
            number: block.number, previous: block.previous, xidFrom: block.xidFrom, xidTo: block.xidTo,
            transactions: block.transactions, root: block.root, sealedAt: block.sealedAt, keyID: block.keyID,
            signature: signature)
    }

    /// What is signed: everything but the signature.
    var canonical: [UInt8] {
        var bytes = CanonicalBytes("club.ledger.block", version: 1)
        bytes.add(self.number)
        bytes.add(self.previous.bytes)
        bytes.add(self.xidFrom)
        bytes.add(self.xidTo)
        bytes.add(self.transactions)
        bytes.add(self.root.bytes)
        bytes.add(self.sealedAt)
        bytes.add(self.keyID)
        return bytes.bytes
    }

    /// What the next block names, and what an operator publishes.
    public var hash: HexBytes { HexBytes(Array(SHA256.hash(data: self.canonical))) }
}
