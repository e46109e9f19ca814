internal import Crypto

/// The hash tree of RFC 9162, section 2.1: SHA-256, a leaf behind a byte 0, a node behind a byte 1, so that no node can
/// be passed off as a leaf.
enum MerkleTree {
    typealias Hash = [UInt8]

    static func leaf(_ content: [UInt8]) -> Hash {
        var hasher = SHA256()
        hasher.update(data: [0])
        hasher.update(data: content)
        return Array(hasher.finalize())
    }

    private static func node(_ left: Hash, _ right: Hash) -> Hash {
        var hasher = SHA256()
        hasher.update(data: [1])
        hasher.update(data: left)
        hasher.update(data: right)
        return Array(hasher.finalize())
    }

    /// The tree's root.
    /// - Parameter leaves: the hashes of the leaves, in their order.
    static func root(of leaves: ArraySlice<Hash>) -> Hash {
        guard leaves.count > 1 else { return leaves.first ?? Array(SHA256.hash(data: [UInt8]())) }
        let split = Self.split(leaves.count)
        return Self.node(Self.root(of: leaves.prefix(split)), Self.root(of: leaves.dropFirst(split)))
    }

    /// What must be hashed with a leaf, one after the other, to come to the root.
    static func path(to index: Int, in leaves: ArraySlice<Hash>) -> [Hash] {
        guard leaves.count > 1 else { return [] }
        let split = Self.split(leaves.count)
        let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
        return index < split
            ? Self.path(to: index, in: left) + [Self.root(of: right)]
            : Self.path(to: index - split, in: right) + [Self.root(of: left)]
    }

    /// The root that a leaf and its path make; nil when the path does not fit a tree of that size.
    static func root(from leaf: Hash, at index: Int, of size: Int, path: [Hash]) -> Hash? {
        guard 0..<size ~= index else { return nil }
        var (place, last) = (index, size - 1)
        var root = leaf
        for sibling in path {
            guard last > 0 else { return nil }
            if place & 1 == 1 || place == last {
                root = Self.node(sibling, root)
                while place & 1 == 0 && place != 0 {
                    place >>= 1
                    last >>= 1
                }
            } else {
                root = Self.node(root, sibling)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 ? root : nil
    }

    /// The largest power of two below the number.
    private static func split(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}
