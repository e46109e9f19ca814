import FoundationEssentials
import Kernel
import Testing

@testable import Ledger

@Suite struct MerkleTests {
    /// The inputs and roots of the reference implementation of Certificate Transparency.
    /// https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
    private static let inputs = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test(arguments: 1...8) func `roots are those of the reference implementation`(size: Int) throws {
        let leaves = try Self.inputs.prefix(size).map { MerkleTree.leaf(try #require(HexBytes($0)).bytes) }
        #expect(HexBytes(MerkleTree.root(of: leaves[...])).description == Self.roots[size - 1])
    }

    @Test func `every leaf of every tree has a path to its root, and no other`() throws {
        for size in 1...33 {
            let leaves = (0..<size).map { MerkleTree.leaf([UInt8($0)]) }
            let root = MerkleTree.root(of: leaves[...])
            for index in 0..<size {
                let path = MerkleTree.path(to: index, in: leaves[...])
                #expect(MerkleTree.root(from: leaves[index], at: index, of: size, path: path) == root)
                #expect(MerkleTree.root(from: MerkleTree.leaf([99]), at: index, of: size, path: path) != root)
                #expect(MerkleTree.root(from: leaves[index], at: index, of: size, path: path + [root]) != root)
                #expect(
                    MerkleTree.root(from: leaves[index], at: index, of: size, path: path.dropLast()) != root
                        || size == 1)
                if size > 1 {
                    let other = (index + 1) % size
                    #expect(MerkleTree.root(from: leaves[index], at: other, of: size, path: path) != root)
                }
            }
            #expect(MerkleTree.root(from: leaves[0], at: size, of: size, path: []) == nil)
        }
    }

    /// A node's two children must not pass for the content of a leaf (CVE-2012-2459 is of this family).
    @Test func `a node cannot be passed off as a leaf`() {
        let leaves = [MerkleTree.leaf([1]), MerkleTree.leaf([2])]
        #expect(MerkleTree.leaf(leaves[0] + leaves[1]) != MerkleTree.root(of: leaves[...]))
    }

    @Test func `what differs in content differs in bytes, also where texts meet`() {
        func bytes(_ first: String?, _ second: String?) -> [UInt8] {
            var bytes = CanonicalBytes("test", version: 1)
            bytes.add(first)
            bytes.add(second)
            return bytes.bytes
        }
        let all = [bytes("ab", "c"), bytes("a", "bc"), bytes("abc", nil), bytes(nil, "abc"), bytes("abc", "")]
        #expect(Set(all).count == all.count)
    }

    @Test(arguments: ["0", "zz", "0x10", "à0"]) func `what is not hexadecimal is refused`(text: String) {
        #expect(HexBytes(text) == nil)
    }

    @Test func `hexadecimal digits are read and written`() {
        #expect(HexBytes("00fFa0")?.bytes == [0, 255, 160])
        #expect(HexBytes([0, 255, 160]).description == "00ffa0")
    }

    @Test func `a secret is a key, another secret another one, and each has its name`() throws {
        let (first, second) = (try SealKey(Secret("one")), try SealKey(Secret("two")))
        #expect(first.publicKey == (try SealKey(Secret("one"))).publicKey)
        #expect(first.publicKey != second.publicKey)
        #expect(first.publicKey.id.utf8.count == 16)
        #expect(first.publicKey.isNamedRightly)
        #expect(!SealPublicKey(id: first.publicKey.id, publicKey: second.publicKey.publicKey).isNamedRightly)
        let signature = try first.signature(of: [1, 2, 3])
        #expect(first.publicKey.isSignature(signature, of: [1, 2, 3]))
        #expect(!first.publicKey.isSignature(signature, of: [1, 2, 4]))
        #expect(!second.publicKey.isSignature(signature, of: [1, 2, 3]))
    }
}
