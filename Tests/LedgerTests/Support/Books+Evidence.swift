import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

extension Books {
    /// A ledger with six transactions, each of a database transaction of its own: a receipt, three holds, a capture of
    /// the first hold and a void of the second.
    static func small() async throws -> Books {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let holds = (0..<3).map { _ in books.ids.next(Hold.self) }
        for hold in holds { try await books.place(hold, 10, for: member) }
        try await books.capture(holds[0], 5, of: member)
        try await books.void(holds[1], of: member)
        return books
    }

    /// What seals the books with the key of a secret.
    func sealer(_ secret: String = "the first secret", blockSize: Int = SealBooks.blockSize) throws -> SealBooks {
        SealBooks(
            database: self.database, key: try SealKey(Secret(secret)), clock: self.clock, random: .system,
            logger: CapturedLogs.logger, blockSize: blockSize)
    }

    /// Seals all there is, when it is final: the horizon is that of the whole server, and other tests may hold it up.
    func seal(_ secret: String = "the first secret", blockSize: Int = SealBooks.blockSize) async throws {
        try await eventually(
            "the horizon's way past the last transaction",
            isTrue: {
                try await self.owner.one(
                    """
                    select coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) from ledger.transaction
                    """
                ).decode(Bool.self)
            })
        try await self.sealer(secret, blockSize: blockSize)()
    }

    @discardableResult
    func closeMonths() async throws -> Int {
        try await CloseMonths(database: self.database, clock: self.clock, logger: CapturedLogs.logger)()
    }

    func auditor(every interval: Duration = .seconds(3600)) -> AuditBooks {
        AuditBooks(database: self.database, clock: self.clock, interval: interval, logger: CapturedLogs.logger)
    }

    var prove: ProveTransaction { ProveTransaction(database: self.database) }

    var statement: MakeStatement { MakeStatement(database: self.database, clock: self.clock) }

    /// The proof of a sealed transaction.
    func proof(of id: LedgerTransaction.ID, member: Member.ID? = nil) async throws -> TransactionProof {
        let answer = try await self.prove(id, of: member)
        guard case .proof(let proof) = answer else {
            Issue.record("\(id): \(answer)")
            throw NoProof()
        }
        return proof
    }

    struct NoProof: Error {}

    /// Runs a statement that no trigger sees: what only a superuser may.
    @discardableResult
    func tamper(_ sql: SQL) async throws -> Int {
        try await self.owner.transaction { transaction in
            try await transaction.execute("set local session_replication_role = replica")
            return try await transaction.execute(sql)
        }
    }
}
