import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Roubles beside points: both in one transaction, each between accounts of its own asset.
@Suite(.ledger) struct MoneyTests {
    private let books: Books
    private let member: Member.ID

    init() async throws {
        self.books = try await Books()
        self.member = self.books.member()
        try await self.books.openPurposes()
        try await self.books.earn(10_000, for: self.member)
    }

    private func payOut(_ purpose: HoldPurpose) async throws -> TransferOutcome {
        try await self.books.apply(
            .payOut(PayOut(id: self.books.transferID(), purpose: purpose, until: self.books.clock.now + .seconds(1))))
    }

    @Test func `a donation and its match are one transaction, and paying the fund empties the clearing`() async throws {
        let fund = HoldPurpose.charity("line-of-life")
        let (_, outcome) = try await self.books.spend(
            1000, for: self.member, purpose: fund, worth: 10_000, match: 10_000)
        let line = try #require(
            try await self.books.account.transaction(try outcome.transaction, of: self.member))
        #expect(line.points == Points(1000))
        #expect(
            line.movements.map(\.to) == [
                "charity:line-of-life:clearing", "rub:charity:line-of-life:payable",
                "rub:charity:line-of-life:payable",
            ])
        #expect(try await self.books.total("charity:line-of-life:clearing") == 1000)
        #expect(try await self.books.total("rub:charity:line-of-life:payable") == 20_000)
        #expect(try await self.books.findings().isEmpty)

        let paid = try await self.payOut(fund)
        #expect(paid.result?.points == Points(1000))
        #expect(paid.result?.kopecks == Kopecks(20_000))
        #expect(try await self.payOut(fund).refusal == .nothingOwed)
        #expect(try await self.books.total("charity:line-of-life:clearing") == 0)
        #expect(try await self.books.total("rub:charity:line-of-life:payable") == 0)
        #expect(try await self.books.total("rub:charity-match") == -10_000)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `an exchange is cleared, settled and paid, in this order`() async throws {
        let partner = HoldPurpose.partner("s7")
        let (hold, _) = try await self.books.spend(5000, for: self.member, purpose: partner, worth: 50_000)
        #expect(try await self.payOut(partner).refusal == .nothingOwed)
        let settle = Transfer.settle(
            SettleExchange(id: self.books.transferID(), member: self.member, hold: hold))
        let settled = try await self.books.apply(settle)
        #expect(settled.result?.points == Points(5000))
        #expect(try await self.books.apply(settle) == settled)
        #expect(
            try await self.books.apply(
                .settle(SettleExchange(id: self.books.transferID(), member: self.member, hold: hold))
            ).refusal == .alreadySettled)
        #expect(try await self.books.total("partner:s7:clearing") == 0)
        #expect(try await self.payOut(partner).result?.kopecks == Kopecks(50_000))
        #expect(try await self.books.total("partner:s7:settled") == 5000)
        #expect(try await self.books.total("rub:partner:s7:paid") == 50_000)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `an exchange that the partner gives back is undone, once and with its money`() async throws {
        let (_, spent) = try await self.books.spend(
            5000, for: self.member, purpose: .partner("s7"), worth: 50_000)
        let transaction = try spent.transaction
        let before = try await self.books.available(self.member)
        #expect(try await self.books.reverse(transaction, of: self.member).result?.available == Points(before + 5000))
        #expect(try await self.books.reverse(transaction, of: self.member).refusal == .alreadyReversed)
        #expect(try await self.books.total("partner:s7:clearing") == 0)
        #expect(try await self.books.total("rub:partner:s7:payable") == 0)
        #expect(try await self.payOut(.partner("s7")).refusal == .nothingOwed)
        #expect(try await self.books.findings().isEmpty)
    }

    /// The payout has no lock of the member: without one of the item the points came back and the money was paid.
    @Test func `a donation that is being paid out is not undone meanwhile`() async throws {
        let fund = HoldPurpose.charity("line-of-life")
        let (_, spent) = try await self.books.spend(1000, for: self.member, purpose: fund, worth: 10_000)
        let transaction = try spent.transaction
        let payment = Transfer.payOut(
            PayOut(id: self.books.transferID(), purpose: fund, until: self.books.clock.now + .seconds(1)))
        let reversed = Signal<TransferOutcome>()
        try await withThrowingTaskGroup(of: Void.self) { [books, member] group in
            try await books.database.transaction { transfer in
                _ = try await TransferStore().apply([payment], at: books.clock.now, in: transfer)
                group.addTask { reversed.send(try await books.reverse(transaction, of: member)) }
                try await eventually("the reversal waits for the payout", isTrue: books.isAnybodyWaiting)
            }
            try await group.waitForAll()
        }
        #expect(try await reversed.next().refusal == .alreadySettled)
        #expect(try await self.books.available(self.member) == 9000)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `money goes only with purposes that have accounts for it`() async throws {
        let hold: Hold.ID = self.books.ids.next()
        try await self.books.place(hold, 10, for: self.member)
        await #expect(throws: DatabaseError.self) {
            try await self.books.apply(
                .capture(CaptureHold(hold: hold, member: self.member, points: nil, worth: Kopecks(100))))
        }
        #expect(try await self.books.account.balance(of: self.member).held == Points(10))
    }

    @Test func `a certificate is bought with points, spent in parts and never overspent`() async throws {
        let certificate = self.books.transferID()
        let hold: Hold.ID = self.books.ids.next()
        let shopper = self.books.member()
        let place = Transfer.hold(
            PlaceHold(
                hold: hold, member: self.member, points: try #require(Points(5000)), purpose: .certificate,
                expiresInSeconds: 60))
        let issue = Transfer.issueCertificate(
            IssueCertificate(
                id: certificate, member: self.member, kopecks: try #require(Kopecks(50_000)), hold: hold))
        let outcomes = try await self.books.apply([place, issue, issue])
        #expect(outcomes[1] == outcomes[2])
        #expect(try await self.books.total("certificate:funding") == 5000)
        #expect(try await self.books.total("rub:certificate") == 50_000)

        let redemptions = try (0..<8).map { _ in
            Transfer.redeemCertificate(
                RedeemCertificate(
                    id: self.books.transferID(), member: shopper, certificate: certificate,
                    kopecks: try #require(Kopecks(15_000))))
        }
        let spent = try await withThrowingTaskGroup(of: TransferOutcome.self) { [books] group in
            for redemption in redemptions { group.addTask { try await books.apply(redemption) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(spent.filter { $0.refusal == .insufficientMoney }.count == 5)
        #expect(try await self.books.total("rub:certificate") == 5000)
        let redeemed = spent.compactMap { $0.result?.transaction }
        let first = try #require(redeemed.first)
        #expect(try await self.books.reverse(first, of: shopper).result != nil)
        #expect(try await self.books.total("rub:certificate") == 20_000)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a certificate that is whole is given back, once, and one that is partly spent is not`() async throws {
        let kopecks = try #require(Kopecks(20_000))
        var issues: [(id: LedgerTransfer.ID, transaction: LedgerTransaction.ID)] = []
        for _ in 0..<2 {
            let hold: Hold.ID = self.books.ids.next()
            try await self.books.apply(
                .hold(
                    PlaceHold(
                        hold: hold, member: self.member, points: try #require(Points(2000)), purpose: .certificate,
                        expiresInSeconds: 60)))
            let id = self.books.transferID()
            let issue = IssueCertificate(id: id, member: self.member, kopecks: kopecks, hold: hold)
            issues.append((id, try await self.books.apply(.issueCertificate(issue)).transaction))
        }
        let available = try await self.books.available(self.member)
        _ = try await self.books.apply(
            .redeemCertificate(
                RedeemCertificate(
                    id: self.books.transferID(), member: self.member, certificate: issues[1].id,
                    kopecks: try #require(Kopecks(100)))))
        #expect(try await self.books.reverse(issues[1].transaction, of: self.member).refusal == .notReversible)
        #expect(try await self.books.reverse(issues[0].transaction, of: self.member).result != nil)
        #expect(try await self.books.available(self.member) == available + 2000)
        #expect(try await self.books.total("rub:certificate") == 19_900)
        #expect(try await self.books.reverse(issues[0].transaction, of: self.member).refusal == .alreadyReversed)
        let late = RedeemCertificate(
            id: self.books.transferID(), member: self.member, certificate: issues[0].id, kopecks: kopecks)
        #expect(try await self.books.apply(.redeemCertificate(late)).refusal == .insufficientMoney)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `what is left when its time is over is written off once, of an advance payment nothing`() async throws {
        let kopecks = try #require(Kopecks(20_000))
        let hold: Hold.ID = self.books.ids.next()
        let (withPoints, withMoney) = (self.books.transferID(), self.books.transferID())
        try await self.books.apply([
            .hold(
                PlaceHold(
                    hold: hold, member: self.member, points: try #require(Points(2000)), purpose: .certificate,
                    expiresInSeconds: 60)),
            .issueCertificate(IssueCertificate(id: withPoints, member: self.member, kopecks: kopecks, hold: hold)),
            .issueCertificate(IssueCertificate(id: withMoney, member: self.member, kopecks: kopecks, hold: nil)),
            .redeemCertificate(
                RedeemCertificate(
                    id: self.books.transferID(), member: self.member, certificate: withPoints,
                    kopecks: try #require(Kopecks(5000)))),
        ])
        func expire(_ certificate: LedgerTransfer.ID) async throws -> TransferOutcome {
            let recipe = ExpireCertificate(id: self.books.transferID(), member: self.member, certificate: certificate)
            let outcomes = try await self.books.apply([.expireCertificate(recipe), .expireCertificate(recipe)])
            #expect(outcomes[0] == outcomes[1])
            return try #require(outcomes.first)
        }
        let result = try #require(try await expire(withPoints).result)
        #expect((result.kopecks, result.remaining) == (Kopecks(15_000), Kopecks(0)))
        #expect(try await expire(withPoints).refusal == .insufficientMoney)
        #expect(try await expire(withMoney).refusal == .neverExpires)
        #expect(try await expire(self.books.transferID()).refusal == .unknownCertificate)
        #expect(try await self.books.total("rub:certificate") == 20_000)
        #expect(try await self.books.total("rub:certificate:breakage") == 15_000)
        let late = RedeemCertificate(
            id: self.books.transferID(), member: self.member, certificate: withPoints, kopecks: kopecks)
        #expect(try await self.books.apply(.redeemCertificate(late)).refusal == .insufficientMoney)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test(arguments: [19_999, 300_001] as [Int64])
    func `a face value outside of 200 to 3000 roubles is refused, by the table as well`(kopecks: Int64) async throws {
        let worth = try #require(Kopecks(kopecks))
        let issue = Transfer.issueCertificate(
            IssueCertificate(id: self.books.transferID(), member: self.member, kopecks: worth, hold: nil))
        #expect(try await self.books.apply(issue).refusal == .wrongWorth)
        await #expect(throws: DatabaseError.self) {
            try await self.books.owner.execute(
                """
                insert into ledger.certificate (certificate_id, member_id, issued_by, kopecks, remaining, funding)
                values (gen_random_uuid(), \(self.member), gen_random_uuid(), \(worth), 0, 'money')
                """)
        }
    }

    @Test func `accounts are opened once`() async throws {
        let before = try await self.books.count("select count(*) from ledger.account")
        try await self.books.openPurposes()
        #expect(try await self.books.count("select count(*) from ledger.account") == before)
    }
}
