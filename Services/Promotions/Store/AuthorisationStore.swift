import FoundationEssentials
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
                \(attempt.id.raw), \(attempt.member.raw), \(attempt.store.text), \(attempt.till),
                \(attempt.idempotencyKey.text), \(attempt.fingerprint), \(attempt.token), \(attempt.points.amount),
                \(attempt.total.amount), \(attempt.state.rawValue), \(now), \(now)
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
            """
        ).flatMap(Self.authorisation)
    }

    func find(_ id: Hold.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Authorisation? {
        try await runner.first(
            """
            select
                authorisation_id, member_id, store_id, till_key, idempotency_key, fingerprint, token_id, points, total,
                state, refusal, available, captured, expires_at
            from promotions.authorisation
            where authorisation_id = \(id.raw)
            """
        ).flatMap(Self.authorisation)
    }

    /// Takes a step; false when the authorisation is not (any more) where the step begins.
    func step(
        _ next: Authorisation, from state: Authorisation.State, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update promotions.authorisation
            set state = \(next.state.rawValue), refusal = \(next.refusal), available = \(next.available?.amount),
                captured = \(next.captured?.amount), expires_at = \(next.expiresAt), changed_at = \(now)
            where authorisation_id = \(next.id.raw) and state = \(state.rawValue)
            """) == 1
    }

    func isStoreKnown(_ store: StoreID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.first("select from promotions.store where store_id = \(store.text)") != nil
    }

    private static func authorisation(_ row: Row) throws -> Authorisation? {
        let (id, member, store, till, key, fingerprint, token, points, total, state, refusal, available, captured, expiry) =
            try row.decode(
                UUID.self, UUID.self, String.self, String.self, String.self, [UInt8].self, String.self, Int64.self,
                Int64.self, String.self, String?.self, Int64?.self, Int64?.self, Timestamp?.self)
        guard let store = StoreID(store), let key = IdempotencyKey(key), let points = Points(points),
            let total = Kopecks(total), let state = Authorisation.State(rawValue: state)
        else { return nil }
        return Authorisation(
            id: Hold.ID(id), member: Member.ID(member), store: store, till: till, idempotencyKey: key,
            fingerprint: fingerprint, token: token, points: points, total: total, state: state, refusal: refusal,
            available: available.flatMap { Points($0) }, captured: captured.flatMap { Points($0) }, expiresAt: expiry)
    }
}
