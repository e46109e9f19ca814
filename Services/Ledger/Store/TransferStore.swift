internal import Contracts
internal import Kernel
internal import Postgres

/// Runs transfers through the function of the schema that keeps the books.
struct TransferStore: Sendable {
    /// Runs all of them in one statement, in their order.
    /// - Returns: an outcome for each transfer.
    func apply(
        _ transfers: [Transfer], at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [TransferOutcome] {
        let rows = try await transaction.query(
            """
            select answer from ledger.apply_transfers(\(transfers.map { JSONB($0) }), \(now)) order by ordinal
            """)
        guard rows.count == transfers.count else {
            throw UnexpectedAnswer.count(rows.count, expected: transfers.count)
        }
        return try rows.map { row in
            let answer = try row.value("answer", as: JSONB<Answer>.self).value
            return answer.refusal.map { .refused($0) } ?? .done(answer.result)
        }
    }

    /// The function's answer: a refusal, or what was done.
    private struct Answer: Codable {
        let refusal: TransferRefusal?
        let result: TransferResult

        init(from decoder: any Decoder) throws {
            self.refusal = try decoder.container(keyedBy: CodingKeys.self)
                .decodeIfPresent(TransferRefusal.self, forKey: .refusal)
            self.result = try TransferResult(from: decoder)
        }

        func encode(to encoder: any Encoder) throws {
            try self.result.encode(to: encoder)
        }

        private enum CodingKeys: String, CodingKey { case refusal }
    }

    /// Opens the accounts of a partner; nothing when they are open.
    func openPartner(_ code: String, in transaction: borrowing Transaction) async throws -> HoldPurpose {
        let row = try await transaction.one("select ledger.open_partner(\(code)) as purpose")
        return HoldPurpose(rawValue: try row.value("purpose"))
    }

    /// Opens the accounts of a charity fund; nothing when they are open.
    func openFund(_ code: String, in transaction: borrowing Transaction) async throws -> HoldPurpose {
        let row = try await transaction.one("select ledger.open_fund(\(code)) as purpose")
        return HoldPurpose(rawValue: try row.value("purpose"))
    }

    /// Opens a sticker campaign, or moves the end of one that is open.
    func openCampaign(_ code: String, until end: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute("select ledger.open_campaign(\(code), \(end))")
    }
}
