internal import Kernel
internal import Postgres

/// A block as it is kept, with everything that it can be checked with.
struct SealedBlock: Sendable {
    let block: SealBlock
    /// What the row says is the block's hash.
    let storedHash: HexBytes
    let leaves: [MerkleTree.Hash]
    let key: SealPublicKey
}

extension SealStore {
    /// The block that seals a database transaction; nil when none does yet.
    func block(sealing xid: Int64, in transaction: borrowing Transaction) async throws -> SealedBlock? {
        let sealed = try await transaction.first(
            """
            select \(fragment: Self.blockColumns)
            from (
                select * from ledger.seal_block where xid_to > \(xid)::text::xid8 order by xid_to limit 1
            ) as b
            join ledger.seal_key as k using (key_id)
            """, as: SealedBlock.self)
        return sealed.flatMap { $0.block.xidFrom <= xid ? $0 : nil }
    }

    /// The blocks after `last` in their order: as many as seal about `limit` transactions, at least one.
    func blocks(
        after last: Int64, sealing limit: Int64, in transaction: borrowing Transaction
    ) async throws -> [SealedBlock] {
        try await transaction.query(
            """
            select \(fragment: Self.blockColumns)
            from (
                select s.*, sum(s.transactions) over (order by s.number) as so_far
                from (select * from ledger.seal_block where number > \(last) order by number limit 1000) as s
            ) as b
            join ledger.seal_key as k using (key_id)
            where b.so_far <= \(limit) or b.so_far = b.transactions
            order by b.number
            """)
    }

    /// How many blocks there are, and how many transactions they seal.
    func extent(in transaction: borrowing Transaction) async throws -> (blocks: Int64, transactions: Int64) {
        try await transaction.one(
            "select count(*), coalesce(sum(transactions), 0)::bigint from ledger.seal_block"
        ).decode(Int64.self, Int64.self)
    }

    /// The public keys in the order in which they came into use.
    func keys(in transaction: borrowing Transaction) async throws -> [(key: SealPublicKey, since: Timestamp)] {
        try await transaction.query(
            "select key_id, public_key, added_at from ledger.seal_key order by added_at, key_id"
        )
        .map { row in
            let (id, bytes, since) = try row.decode(String.self, [UInt8].self, Timestamp.self)
            return (SealPublicKey(id: id, publicKey: HexBytes(bytes)), since)
        }
    }

    private static let blockColumns: SQL = """
        b.number, b.previous, b.xid_from::text::bigint as xid_from, b.xid_to::text::bigint as xid_to,
            b.transactions::bigint as transactions, b.root, b.sealed_at, b.key_id, b.signature, b.hash, b.leaves,
            k.public_key
        """
}

extension SealedBlock: RowDecodable {
    init(row: Row) throws {
        let keyID: String = try row.value("key_id")
        self.block = SealBlock(
            number: try row.value("number"), previous: HexBytes(try row.value("previous")),
            xidFrom: try row.value("xid_from"), xidTo: try row.value("xid_to"),
            transactions: try row.value("transactions"), root: HexBytes(try row.value("root")),
            sealedAt: try row.value("sealed_at"), keyID: keyID, signature: HexBytes(try row.value("signature")))
        self.storedHash = HexBytes(try row.value("hash"))
        let bytes: [UInt8] = try row.value("leaves")
        self.leaves = stride(from: 0, to: bytes.count, by: 32).map { Array(bytes[$0..<min($0 + 32, bytes.count)]) }
        self.key = SealPublicKey(id: keyID, publicKey: HexBytes(try row.value("public_key")))
    }
}
