import Kernel
import Postgres

/// Which payments with points paid for which receipts.
struct PaymentStore: Sendable {
    /// A payment that paid for another receipt.
    struct Taken: Error {}

    /// Whether all payments of a receipt were taken from its member; true for a receipt without any.
    func check(
        _ receipts: [(authorisations: [Hold.ID], member: Member.ID?)], in database: Database
    ) async throws -> [Bool] {
        let wanted = receipts.flatMap(\.authorisations)
        guard !wanted.isEmpty else { return receipts.map { _ in true } }
        let rows = try await database.query(
            """
            select authorisation_id, member_id
            from promotions.authorisation
            where authorisation_id = any (\(wanted)) and state = 'captured'
            """
        ).map { try $0.decode(Hold.ID.self, Member.ID.self) }
        let owners = Dictionary(rows) { $1 }
        return receipts.map { receipt in
            receipt.authorisations.allSatisfy { owners[$0] != nil && owners[$0] == receipt.member }
        }
    }

    /// - Throws: ``Taken`` when one of the payments paid for another receipt.
    func insert(_ receipts: [JudgedReceipt], in transaction: borrowing Transaction) async throws {
        let pairs = receipts.flatMap { receipt in receipt.receipt.authorisations.map { ($0, receipt) } }
        guard !pairs.isEmpty else { return }
        let written = try await transaction.execute(
            """
            insert into promotions.receipt_payment (authorisation_id, receipt_id, member_id, sold_at)
            select *
            from unnest(
                \(pairs.map(\.0)), \(pairs.map(\.1.id)), \(pairs.map(\.1.member)), \(pairs.map(\.1.receipt.sale.at))
            ) as paid (authorisation_id, receipt_id, member_id, sold_at)
            order by authorisation_id
            on conflict (authorisation_id) do nothing
            """)
        guard written == pairs.count else { throw Taken() }
    }
}
