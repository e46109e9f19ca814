import Kernel
import Postgres

/// Payments with points at tills.
struct AuthorisationStore: Sendable {
    /// Writes an attempt down; false when its idempotency key or its token was used before.
    func insert(
        _ attempt: Authorisation, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            insert into promotions.authorisation (
                authorisation_id, member_id, store_id, till_key, idempotency_key, fingerprint, token_id, points, total,
                state, created_at, changed_at
            )
            values (
                \(attempt.id), \(attempt.member), \(attempt.store), \(attempt.till),
                \(attempt.idempotencyKey), \(attempt.fingerprint), \(attempt.token), \(attempt.points),
                \(attempt.total), \(attempt.state), \(now), \(now)
            )
            on conflict do nothing
            """) == 1
    }

    /// The attempt that a till made under an idempotency key.
    func find(
        till: String, key: IdempotencyKey, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Authorisation? {
        try await runner.first(
            """
            select
                authorisation_id, member_id, store_id, till_key, idempotency_key, fingerprint, token_id, points, total,
                state, refusal, available, captured, expires_at
            from promotions.authorisation
            where till_key = \(till) and idempotency_key = \(key.text)
            """, as: Authorisation.self)
    }

    func find(_ id: Hold.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Authorisation? {
        try await runner.first(
            """
            select
                authorisation_id, member_id, store_id, till_key, idempotency_key, fingerprint, token_id, points, total,
                state, refusal, available, captured, expires_at
            from promotions.authorisation
            where authorisation_id = \(id)
            """, as: Authorisation.self)
    }

    /// Takes a step; false when the authorisation is not (any more) where the step begins.
    func step(
        _ next: Authorisation, from state: Authorisation.State, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update promotions.authorisation
            set state = \(next.state), refusal = \(next.refusal), available = \(next.available),
                captured = \(next.captured), expires_at = \(next.expiresAt), changed_at = \(now)
            where authorisation_id = \(next.id) and state = \(state)
            """) == 1
    }

    func isStoreKnown(_ store: StoreID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.first("select from promotions.store where store_id = \(store.text)") != nil
    }
}

extension Authorisation: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("authorisation_id"), member: try row.value("member_id"), store: try row.value("store_id"),
            till: try row.value("till_key"), idempotencyKey: try row.value("idempotency_key"),
            fingerprint: try row.value("fingerprint"), token: try row.value("token_id"),
            points: try row.value("points"), total: try row.value("total"), state: try row.value("state"),
            refusal: try row.value("refusal"), available: try row.value("available"),
            captured: try row.value("captured"), expiresAt: try row.value("expires_at"))
    }
}

extension Authorisation.State: PostgresWrapper {}
