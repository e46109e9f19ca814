import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Transfers as tests make them.
extension Books {
    /// All of them in one transaction.
    @discardableResult
    func apply(_ transfers: [Transfer]) async throws -> [TransferOutcome] {
        try await self.database.transaction { transaction in
            try await TransferStore().apply(transfers, at: self.clock.now, in: transaction)
        }
    }

    @discardableResult
    func apply(_ transfer: Transfer) async throws -> TransferOutcome {
        try #require(try await self.apply([transfer]).first)
    }

    func transferID() -> LedgerTransfer.ID { self.ids.next() }

    // MARK: Recipes

    /// A return of parts of lines, by their numbers from 1.
    func goods(
        of member: Member.ID, _ receipt: Receipt.ID, lines: [Int64], holds: [Hold.ID] = [], back: [(Int32, Int64)],
        id: LedgerTransfer.ID? = nil
    ) throws -> Transfer {
        .return(
            ReturnGoods(
                id: id ?? self.transferID(), member: member, receipt: receipt,
                lines: try lines.map { ReturnGoods.Line(sum: try #require(Kopecks($0))) }, holds: holds,
                returned: try back.map { ReturnGoods.Returned(line: $0.0, sum: try #require(Kopecks($0.1))) },
                effectiveAt: self.clock.now))
    }

    /// Everything that one asks for and another approves.
    @discardableResult
    func adjust(
        _ points: Int64, of member: Member.ID, cause: RequestAdjustment.Cause = .correction
    ) async throws -> TransferOutcome {
        let request = self.transferID()
        try await self.apply(
            .requestAdjustment(
                RequestAdjustment(
                    id: request, member: member, points: points, cause: cause, maker: self.ids.next(),
                    ticket: "T-7", reason: "booked twice")))
        return try await self.apply(
            .decideAdjustment(
                DecideAdjustment(
                    id: self.transferID(), member: member, adjustment: request, checker: self.ids.next(),
                    approves: true)))
    }

    func merge(_ source: Member.ID, into member: Member.ID) async throws -> TransferOutcome {
        try await self.apply(.merge(MergeMembers(id: self.transferID(), source: source, member: member)))
    }

    func stickers(_ count: Int64, of campaign: String, for member: Member.ID) async throws -> TransferOutcome {
        try await self.apply(
            .stickers(MoveStickers(id: self.transferID(), member: member, campaign: campaign, count: count)))
    }

    func reverse(_ transaction: LedgerTransaction.ID, of member: Member.ID) async throws -> TransferOutcome {
        try await self.apply(
            .reverse(ReverseTransaction(id: self.transferID(), member: member, reverses: transaction)))
    }

    /// Holds and captures at once.
    @discardableResult
    func spend(
        _ points: Int64, for member: Member.ID, purpose: HoldPurpose = .till, worth: Int64? = nil, match: Int64? = nil
    ) async throws -> (hold: Hold.ID, outcome: TransferOutcome) {
        let hold: Hold.ID = self.ids.next()
        let outcomes = try await self.apply([
            .hold(
                PlaceHold(
                    hold: hold, member: member, points: try #require(Points(points)), purpose: purpose,
                    expiresInSeconds: 600)),
            .capture(
                CaptureHold(
                    hold: hold, member: member, points: nil, worth: try worth.map { try #require(Kopecks($0)) },
                    match: try match.map { try #require(Kopecks($0)) })),
        ])
        return (hold, outcomes[1])
    }

    func openPurposes() async throws {
        try await self.database.transaction { transaction in
            _ = try await TransferStore().openPartner("s7", in: transaction)
            _ = try await TransferStore().openFund("line-of-life", in: transaction)
        }
    }

    func openCampaign(_ code: String, days: Int64) async throws {
        try await self.database.transaction { transaction in
            try await TransferStore().openCampaign(
                code, until: self.clock.now + .seconds(days * 86_400), in: transaction)
        }
    }

    // MARK: Looking

    /// The balance of a house account, by its postings.
    func total(_ account: String) async throws -> Int64 {
        try await self.count(
            """
            select coalesce(sum(p.amount * ((p.credit = a.id)::int - (p.debit = a.id)::int)), 0)::bigint
            from ledger.account as a join ledger.posting as p on a.id in (p.debit, p.credit)
            where a.code = \(account)
            """)
    }
}

extension TransferOutcome {
    var result: TransferResult? {
        if case .done(let result) = self { result } else { nil }
    }

    var refusal: TransferRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    /// The transaction of what was done.
    var transaction: LedgerTransaction.ID {
        get throws { try #require(self.result?.transaction) }
    }
}

extension PostReceipt.Accrual {
    /// Points that wait.
    static func of(_ points: Int64, _ lotClass: LotClass = .regular, maturing: Timestamp) throws -> Self {
        Self(lotClass: lotClass, points: try #require(Points(points)), rule: "online", maturesAt: maturing)
    }
}
