public import Kernel
public import Postgres

/// Proves that a transaction stands in the sealed books.
public struct ProveTransaction: Sendable {
    /// What can be said about a transaction.
    public enum Answer: Sendable, Equatable {
        /// It is sealed.
        case proof(TransactionProof)
        /// It is too young: ask again in some seconds.
        case notSealed
        /// There is none such, or it is not this member's.
        case unknown
        /// It is not what was sealed; the sentence says more.
        case broken(String)
    }

    private let database: Database
    private let store = SealStore()

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database) {
        self.database = database
    }

    /// - Parameter member: whose it must be; nil for an operator, who may see everybody's.
    public func callAsFunction(_ id: LedgerTransaction.ID, of member: Member.ID?) async throws -> Answer {
        try await self.database.transaction(readOnly: true) { transaction in
            guard let entry = try await self.store.entry(id, of: member, in: transaction) else { return .unknown }
            guard let sealed = try await self.store.block(sealing: entry.xid, in: transaction) else {
                return .notSealed
            }
            guard let index = sealed.leaves.firstIndex(of: entry.leaf) else {
                return .broken("Transaction \(id) is not what was sealed in block \(sealed.block.number).")
            }
            let proof = TransactionProof(entry, at: index, of: sealed.leaves, in: sealed.block, key: sealed.key)
            if let flaw = proof.flaws().first {
                return .broken("Block \(sealed.block.number) does not hold: \(flaw.meaning)")
            }
            return .proof(proof)
        }
    }
}
