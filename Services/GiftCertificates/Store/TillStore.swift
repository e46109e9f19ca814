import Kernel
import Postgres

/// What tills set aside and take of certificates. Whoever calls has the certificate's row locked, except to find.
struct TillStore: Sendable {
    private static let columns: SQL = """
        authorisation_id, certificate_id, store_id, till_key, idempotency_key, fingerprint, amount, captured, state,
        expires_at
        """

    /// Sets money aside: the authorisation and the certificate's `held` in one. False when the idempotency key was
    /// used or another till has set something aside.
    func place(
        _ new: CertificateHold, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let inserted = try await transaction.execute(
            """
            insert into gift_certificates.authorisation (
                authorisation_id, certificate_id, store_id, till_key, idempotency_key, fingerprint, amount, state,
                expires_at, created_at, changed_at
            )
            values (
                \(new.id), \(new.certificate), \(new.store), \(new.till), \(new.idempotencyKey), \(new.fingerprint),
                \(new.amount), 'placed', \(new.expiresAt), \(now), \(now)
            )
            on conflict do nothing
            """)
        guard inserted == 1 else { return false }
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set held = held + \(new.amount), changed_at = \(now)
            where certificate_id = \(new.certificate)
            """)
        return true
    }

    func find(
        till: String, key: IdempotencyKey, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> CertificateHold? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.authorisation
            where till_key = \(till) and idempotency_key = \(key)
            """, as: CertificateHold.self)
    }

    func find(
        _ id: CertificateHold.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> CertificateHold? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.authorisation
            where authorisation_id = \(id)
            """, as: CertificateHold.self)
    }

    /// What a till has set aside of a certificate now.
    func open(
        of certificate: GiftCertificate.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> CertificateHold? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.authorisation
            where certificate_id = \(certificate) and state = 'placed'
            """, as: CertificateHold.self)
    }

    /// Ends what was set aside, and gives it back to the certificate but for what is taken.
    /// - Parameter captured: what is taken; nil when all of it is given back.
    func end(
        _ hold: CertificateHold, _ state: CertificateHold.State, captured: Kopecks?, certificate: CertificateState,
        at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.authorisation
            set state = \(state), captured = \(captured), changed_at = \(now)
            where authorisation_id = \(hold.id) and state = 'placed'
            """)
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set held = held - \(hold.amount), remaining = remaining - \(captured ?? .zero), state = \(certificate),
                changed_at = \(now)
            where certificate_id = \(hold.certificate)
            """)
    }

    /// Those whose time is over.
    func lapsing(
        at now: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [CertificateHold] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from gift_certificates.authorisation
            where state = 'placed' and expires_at <= \(now)
            order by expires_at
            limit \(limit)
            """, as: CertificateHold.self)
    }

    /// Notes what the ledger said to a capture; a refusal is for a person to look at.
    func note(
        _ id: CertificateHold.ID, refusal: String?, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update gift_certificates.authorisation
            set posted_at = \(now), refusal = \(refusal)
            where authorisation_id = \(id) and state = 'captured' and posted_at is null
            """) == 1
    }
}

extension CertificateHold.State: PostgresWrapper {}

extension CertificateHold: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("authorisation_id"), certificate: try row.value("certificate_id"),
            store: try row.value("store_id"), till: try row.value("till_key"),
            idempotencyKey: try row.value("idempotency_key"), fingerprint: try row.value("fingerprint"),
            amount: try row.value("amount"), captured: try row.value("captured"), state: try row.value("state"),
            expiresAt: try row.value("expires_at"))
    }
}
