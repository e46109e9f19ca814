import Kernel
import Postgres

/// What is left on certificates whose time is over.
struct WriteOffStore: Sendable {
    /// Those of which the ledger has not been told, locked. Not while it has yet to hear of what tills have taken: that
    /// would find nothing left.
    func due(limit: Int, in transaction: borrowing Transaction) async throws -> [GiftCertificate.ID] {
        try await transaction.query(
            """
            select certificate_id
            from gift_certificates.certificate as c
            where state = 'expired' and remaining > 0 and write_off_sent_at is null and not exists (
                select from gift_certificates.authorisation as a
                where a.certificate_id = c.certificate_id and a.state = 'captured' and a.posted_at is null)
            order by expires_at
            limit \(limit)
            for no key update skip locked
            """
        ).map { try $0.decode(GiftCertificate.ID.self) }
    }

    /// The ledger is told by the transaction that this is in.
    func markSent(_ id: GiftCertificate.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set write_off_sent_at = \(now), changed_at = \(now)
            where certificate_id = \(id)
            """)
    }

    /// The ledger has written it off.
    func done(_ id: GiftCertificate.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set written_off = remaining, remaining = 0, changed_at = \(now)
            where certificate_id = \(id) and write_off_sent_at is not null and written_off is null and remaining > 0
            """) == 1
    }

    /// The ledger has refused.
    func refused(
        _ id: GiftCertificate.ID, _ refusal: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set write_off_refusal = \(refusal), changed_at = \(now)
            where certificate_id = \(id) and write_off_sent_at is not null and written_off is null
            """) == 1
    }
}
