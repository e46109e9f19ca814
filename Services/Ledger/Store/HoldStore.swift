internal import Contracts
internal import Kernel
internal import Postgres

/// A hold whose time was over and whose points went back.
struct ExpiredHold: Hashable, Sendable, RowDecodable {
    let hold: Hold.ID
    let member: Member.ID
    let points: Points
    let transaction: LedgerTransaction.ID

    init(row: Row) throws {
        self.hold = try row.value("hold_id")
        self.member = try row.value("member_id")
        self.points = try row.value("points")
        self.transaction = try row.value("transaction_id")
    }
}

/// Places and ends holds through the functions of the schema.
struct HoldStore: Sendable {
    /// Reserves points, first-expiring lots first.
    func place(
        _ call: PlaceHold, until deadline: Timestamp, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> PlaceHold.Reply {
        let row = try await transaction.one(
            """
            select refusal, available, expires_at
            from ledger.place_hold(
                \(call.hold), \(call.member), \(call.points), \(call.purpose.rawValue), \(deadline), \(now))
            """)
        if let refusal = try row.refusal() {
            return .refused(refusal, available: try row.value("available"))
        }
        return .placed(available: try row.value("available"), expiresAt: try row.value("expires_at"))
    }

    /// Burns `call.points` of a hold, or all of it, and gives back the rest.
    func capture(
        _ call: CaptureHold, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> CaptureHold.Reply {
        let row = try await transaction.one(
            """
            select refusal, captured, released, available, transaction_id
            from ledger.end_hold(
                \(call.hold), \(call.member), \(call.points), \(now), \(call.capture), \(call.closes ?? true),
                \(call.worth ?? .zero), \(call.match ?? .zero))
            """)
        if let refusal = try row.refusal() { return .refused(refusal) }
        return .captured(
            transaction: try row.value("transaction_id"), points: try row.value("captured"),
            released: try row.value("released"), available: try row.value("available"))
    }

    /// Gives a hold's points back.
    func void(
        _ call: VoidHold, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> VoidHold.Reply {
        let row = try await transaction.one(
            """
            select refusal, captured, released, available, transaction_id
            from ledger.end_hold(\(call.hold), \(call.member), 0, \(now))
            """)
        if let refusal = try row.refusal() { return .refused(refusal) }
        return .voided(released: try row.value("released"), available: try row.value("available"))
    }

    /// Voids holds whose time is over, at most `limit` of them.
    func voidExpired(
        at now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [ExpiredHold] {
        try await transaction.query(
            """
            select hold_id, member_id, points, transaction_id
            from ledger.void_expired_holds(\(now), \(Int32(limit)))
            """)
    }
}

extension Row {
    /// The column `refusal`; nil when nothing was refused.
    fileprivate func refusal() throws -> HoldRefusal? {
        guard let code = try self.value("refusal", as: String?.self) else { return nil }
        guard let refusal = HoldRefusal(rawValue: code) else {
            throw UnexpectedAnswer.refusal(code)
        }
        return refusal
    }
}
