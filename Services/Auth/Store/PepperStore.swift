import Kernel
import Postgres

/// The sealed peppers that codes are derived with.
struct PepperStore: Sendable {
    /// The newest pepper made after a moment.
    func newest(
        madeAfter moment: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (id: Int32, sealed: [UInt8])? {
        try await transaction.first(
            """
            select pepper_id, sealed
            from auth.code_pepper
            where created_at > \(moment)
            order by pepper_id desc
            limit 1
            """)?.decode(Int32.self, [UInt8].self)
    }

    func insert(_ sealed: [UInt8], at now: Timestamp, in transaction: borrowing Transaction) async throws -> Int32 {
        try await transaction.one(
            """
            insert into auth.code_pepper (sealed, created_at)
            values (\(sealed), \(now))
            returning pepper_id
            """
        ).decode(Int32.self)
    }

    /// nil once the pepper was destroyed.
    func find<Runner: QueryRunner & ~Copyable>(_ id: Int32, on runner: borrowing Runner) async throws -> [UInt8]? {
        try await runner.first(
            """
            select sealed
            from auth.code_pepper
            where pepper_id = \(id)
            """)?.decode([UInt8].self)
    }
}
