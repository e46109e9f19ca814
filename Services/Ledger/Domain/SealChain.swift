internal import Kernel

/// Follows the chain of blocks and compares the books with it: pure, fed piece by piece.
struct SealChain {
    /// The last block that was followed.
    private(set) var last: (number: Int64, hash: HexBytes, xidTo: Int64)?

    /// - Parameter block: the last one that is known to be right; nil before the first one.
    init(after block: SealBlock? = nil) {
        self.last = block.map { ($0.number, $0.hash, $0.xidTo) }
    }

    /// What is wrong: where, and what.
    struct Break: Error, Equatable {
        let place: String
        let difference: String
    }

    /// - Parameter entries: the transactions of the block's range, in the order of (xid, id).
    mutating func follow(_ sealed: SealedBlock, _ entries: ArraySlice<BookEntry>) throws(Break) {
        let block = sealed.block
        func wrong(_ difference: String) -> Break { Break(place: "block \(block.number)", difference: difference) }
        guard block.number == (self.last?.number ?? 0) + 1 else {
            throw wrong("it comes after block \(self.last?.number ?? 0)")
        }
        guard block.xidFrom == self.last?.xidTo ?? 0, self.last.map({ $0.hash == block.previous }) ?? true else {
            throw wrong("it does not name the block before it")
        }
        guard sealed.storedHash == block.hash else { throw wrong("its hash is not that of what it says") }
        guard sealed.key.isNamedRightly, sealed.key.isSignature(block.signature, of: block.canonical) else {
            throw wrong("its signature is not of the key \(block.keyID)")
        }
        guard sealed.leaves.count == Int(block.transactions),
            MerkleTree.root(of: sealed.leaves[...]) == block.root.bytes
        else { throw wrong("its leaves do not make its root") }
        if let difference = Self.difference(entries, sealed.leaves) {
            throw wrong(difference)
        }
        self.last = (block.number, block.hash, block.xidTo)
    }

    /// The first place at which the books are not what was sealed.
    private static func difference(_ entries: ArraySlice<BookEntry>, _ leaves: [MerkleTree.Hash]) -> String? {
        let place = zip(entries, leaves).enumerated().first { $0.element.0.leaf != $0.element.1 }?.offset
        let first = place.map { entries[entries.startIndex + $0].id }
        if entries.count < leaves.count {
            return "\(leaves.count - entries.count) of its \(leaves.count) transactions are missing"
                + (first.map { ", the first before transaction \($0)" } ?? "")
        }
        if entries.count > leaves.count {
            let added = first ?? entries[entries.startIndex + leaves.count].id
            return "it sealed \(leaves.count) transactions and there are \(entries.count): \(added) came later"
        }
        return first.map { "transaction \($0) is not what was sealed" }
    }
}
