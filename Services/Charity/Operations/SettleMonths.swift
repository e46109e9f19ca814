import Contracts
import JobQueue
import Kernel
import Logging
import Postgres

/// Pays the funds, month by month: a batch with its signed file, two colleagues, the ledger's payment, the fund's
/// receipt.
struct SettleMonths: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let ids: IDGenerator
    private let key: SettlementKey
    private let rules: DonationRules
    private let pay: @Sendable (Transfer) async throws -> TransferOutcome
    private let batches = BatchStore()
    private let campaigns = CampaignStore()

    init(
        database: Database, clock: any WallClock, ids: IDGenerator, key: SettlementKey, rules: DonationRules,
        pay: @escaping @Sendable (Transfer) async throws -> TransferOutcome
    ) {
        (self.database, self.clock, self.ids) = (database, clock, ids)
        (self.key, self.rules, self.pay) = (key, rules, pay)
    }

    /// Makes the batches that are due; what was made before is not made again.
    func prepareDue() async throws {
        let moment = self.clock.now - self.rules.batchDelay
        for (fund, month) in try await self.batches.due(at: moment, in: self.database) {
            _ = try await self.prepare(fund, month)
        }
    }

    /// Makes a fund's batch of a month, or finds it.
    ///
    /// - Throws: ``BatchRefusal``.
    func prepare(_ id: String, _ month: CivilDate) async throws -> Batch {
        try await self.database.transaction { transaction in
            guard let fund = try await self.campaigns.fund(id, in: transaction) else { throw BatchRefusal.unknownFund }
            if let known = try await self.batches.find(fund: id, month: month, in: transaction) { return known }
            let until = try await self.batches.end(of: month, in: transaction)
            guard until + self.rules.batchDelay <= self.clock.now else { throw BatchRefusal.monthNotOver }
            let batchID: Batch.ID = self.ids.next()
            let lines = try await self.batches.take(into: batchID, fund: id, until: until, in: transaction)
            guard !lines.isEmpty else { throw BatchRefusal.nothingToPay }
            let file = SettlementFile(batch: batchID, fund: fund, month: month, lines: lines)
            let batch = try self.batch(file, until: until)
            guard try await self.batches.insert(batch, file: file.bytes, in: transaction) else {
                // Another process was quicker: everything taken here goes back with this transaction.
                throw BatchRefusal.undecided
            }
            return batch
        }
    }

    private func batch(_ file: SettlementFile, until: Timestamp) throws -> Batch {
        let (points, worth, match) = file.sums
        return Batch(
            id: file.batch, fund: file.fund.id, month: file.month, until: until, donations: Int64(file.lines.count),
            points: Points(points) ?? .zero, worth: Kopecks(worth) ?? .zero, match: Kopecks(match) ?? .zero,
            fileHash: SettlementKey.hash(of: file.bytes), signature: try self.key.signature(of: file.bytes),
            key: self.key.publicKey, state: .prepared, transfer: self.ids.next(), maker: nil, checker: nil, paid: nil,
            refusal: nil, acknowledgement: nil, preparedAt: self.clock.now, paidAt: nil, acknowledgedAt: nil)
    }

    /// One colleague says that it is right.
    func submit(_ id: Batch.ID, by maker: Staff.ID, in transaction: borrowing Transaction) async throws -> Batch {
        guard try await self.batches.submit(id, by: maker, at: self.clock.now, in: transaction) else {
            throw try await self.refusal(of: id, in: transaction)
        }
        return try await self.found(id, in: transaction)
    }

    /// Another one agrees: it will be paid.
    func approve(_ id: Batch.ID, by checker: Staff.ID, in transaction: borrowing Transaction) async throws -> Batch {
        let batch = try await self.found(id, in: transaction)
        if batch.state == .submitted, batch.maker == checker { throw BatchRefusal.samePerson }
        guard try await self.batches.approve(id, by: checker, at: self.clock.now, in: transaction) else {
            throw BatchRefusal.wrongState(batch.state)
        }
        return try await self.found(id, in: transaction)
    }

    /// Has the ledger pay what is approved. The transfer's id was written with the batch, so asking twice pays once.
    func payApproved() async throws {
        for batch in try await self.batches.approved(in: self.database) { try await self.settle(batch) }
    }

    private func settle(_ batch: Batch) async throws {
        let transfer = PayOut(id: batch.transfer, purpose: .charity(batch.fund), until: batch.until)
        switch try await self.pay(.payOut(transfer)) {
        case .done(let result):
            let isEqual = result.kopecks == batch.total && result.points == batch.points
            if !isEqual {
                Logger.current.error(
                    "The ledger has paid a fund another sum than its file says",
                    metadata: ["charity.batch": "\(batch.id)"])
            }
            try await self.batches.pay(
                batch.id, state: isEqual ? .paid : .differs, paid: result.kopecks, refusal: nil, at: self.clock.now,
                in: self.database)
        case .refused(let refusal):
            Logger.current.error(
                "The ledger does not pay a fund",
                metadata: ["charity.batch": "\(batch.id)", "charity.refusal": "\(refusal.rawValue)"])
            try await self.batches.pay(
                batch.id, state: .differs, paid: nil, refusal: refusal.rawValue, at: self.clock.now, in: self.database)
        }
    }

    /// The fund has the money: its number is the donors' proof.
    func acknowledge(
        _ id: Batch.ID, number: String, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> Batch {
        let done = try await self.batches.acknowledge(
            id, number: number, by: staff, at: self.clock.now, in: transaction)
        guard done else { throw try await self.refusal(of: id, in: transaction) }
        return try await self.found(id, in: transaction)
    }

    func find(_ id: Batch.ID) async throws -> Batch { try await self.found(id, in: self.database) }

    private func found(
        _ id: Batch.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Batch {
        guard let batch = try await self.batches.find(id, in: runner) else { throw BatchRefusal.unknownBatch }
        return batch
    }

    private func refusal(of id: Batch.ID, in transaction: borrowing Transaction) async throws -> BatchRefusal {
        .wrongState(try await self.found(id, in: transaction).state)
    }
}
