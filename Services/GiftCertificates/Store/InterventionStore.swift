import Kernel
import Postgres

/// What colleagues do about certificates, written down for ever, and refunds.
struct InterventionStore: Sendable {
    /// What a colleague can do.
    enum Action: String, PostgresWrapper {
        case block, unblock
        case requestRefund = "request-refund"
        case approveRefund = "approve-refund"
    }

    func note(
        _ action: Action, of certificate: GiftCertificate.ID, by staff: Staff.ID, reason: String,
        id: Identifier<Action>, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into gift_certificates.intervention (intervention_id, certificate_id, action, staff_id, reason, at)
            values (\(id), \(certificate), \(action), \(staff), \(reason), \(now))
            """)
    }

    /// Asks for a refund; false when there was one. A refused one can be asked for again.
    func request(_ refund: Refund, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into gift_certificates.refund as r
                (certificate_id, transfer_id, maker_id, state, reason, requested_at)
            values
                (\(refund.certificate), \(refund.transfer), \(refund.maker), 'requested', \(refund.reason), \(now))
            on conflict (certificate_id) do update
            set transfer_id = excluded.transfer_id, maker_id = excluded.maker_id, checker_id = null,
                state = 'requested', reason = excluded.reason, refusal = null, requested_at = excluded.requested_at,
                decided_at = null
            where r.state = 'refused'
            """) == 1
    }

    func refund(
        of certificate: GiftCertificate.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Refund? {
        try await runner.first(
            """
            select certificate_id, transfer_id, maker_id, state, reason
            from gift_certificates.refund
            where certificate_id = \(certificate)
            """, as: Refund.self)
    }

    func refund(
        transfer: Refund.TransferID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Refund? {
        try await runner.first(
            """
            select certificate_id, transfer_id, maker_id, state, reason
            from gift_certificates.refund
            where transfer_id = \(transfer)
            """, as: Refund.self)
    }

    /// That the two are different people the table says as well.
    func approve(
        _ refund: Refund, by checker: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.refund
            set state = 'approved', checker_id = \(checker), decided_at = \(now)
            where certificate_id = \(refund.certificate) and state = 'requested'
            """)
    }

    func end(
        _ refund: Refund, _ state: Refund.State, refusal: String?, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.refund
            set state = \(state), refusal = \(refusal)
            where certificate_id = \(refund.certificate) and state = 'approved'
            """)
    }
}

extension Refund.State: PostgresWrapper {}

extension Refund: RowDecodable {
    init(row: Row) throws {
        self.init(
            certificate: try row.value("certificate_id"), transfer: try row.value("transfer_id"),
            maker: try row.value("maker_id"), state: try row.value("state"), reason: try row.value("reason"))
    }
}
