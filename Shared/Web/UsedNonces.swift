public import Kernel
import NIOConcurrencyHelpers
public import Postgres

/// The table `<schema>.used_nonce`: the nonces of signed requests, so that one that was overheard opens nothing, whichever
/// process of the service it is shown to. Needs that table; see this folder's README.
///
/// A nonce is committed before the request is let in. It is forgotten when its request's time would be refused anyway.
public struct UsedNonces: Sendable {
    /// How often a process looks for what can be forgotten, and how much of it at once.
    static let sweepEvery = Duration.seconds(60)
    private static let sweepMax = 10_000
    /// Clocks of two processes may differ: a nonce is kept longer than its time is accepted by as much.
    private static let slack = Duration.seconds(300)

    private let schema: ServiceName
    private let database: Database
    private let sweptAt = NIOLockedValueBox<Timestamp?>(nil)

    /// - Parameters:
    ///   - schema: whose table it is.
    ///   - database: reached as that service's role.
    public init(schema: ServiceName, database: Database) { (self.schema, self.database) = (schema, database) }

    /// Takes a nonce of a key.
    /// - Parameter signedAt: the time that the request states; until five minutes after it the request would be accepted.
    /// - Returns: false when it was taken before.
    public func take(_ nonce: String, of key: String, signedAt: Timestamp, at now: Timestamp) async throws -> Bool {
        try await self.sweep(at: now)
        let forgetAt = max(signedAt, now) + RequestSignature.window + Self.slack
        return try await self.database.execute(
            """
            insert into \(identifier: self.schema.schema, "used_nonce") (till_key, nonce, forget_at)
            values (\(key), \(nonce), \(forgetAt))
            on conflict (till_key, nonce) do nothing
            """) == 1
    }

    private func sweep(at now: Timestamp) async throws {
        let isDue = self.sweptAt.withLockedValue { sweptAt in
            if let last = sweptAt, last <= now, now - last < Self.sweepEvery { return false }
            sweptAt = now
            return true
        }
        guard isDue else { return }
        try await self.database.execute(
            """
            delete from \(identifier: self.schema.schema, "used_nonce")
            where (till_key, nonce) in (
                select till_key, nonce
                from \(identifier: self.schema.schema, "used_nonce")
                where forget_at <= \(now)
                order by till_key, nonce
                limit \(Self.sweepMax)
                for update skip locked
            )
            """)
    }
}
