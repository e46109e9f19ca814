import Hummingbird
import Kernel
import Postgres
import Web

/// What a colleague asks to be done, done once for each Idempotency-Key, in one transaction with its answer.
struct StaffWrite: Sendable {
    let idempotency: Idempotency

    init(database: Database, clock: any WallClock) {
        self.idempotency = Idempotency(schema: PromotionsModule.name, database: database, clock: clock)
    }

    /// - Parameter body: the request's bytes; empty where it takes none.
    func callAsFunction(
        _ request: Request, _ context: ClubRequestContext, body: [UInt8] = [],
        _ work: (Staff.ID, borrowing Transaction) async throws -> Answer
    ) async throws -> Response {
        let staff = try context.requireStaff().staff
        return try await self.idempotency.answer(request, principal: "staff:\(staff)", body: body) { transaction in
            try await work(staff, transaction)
        }
    }
}
