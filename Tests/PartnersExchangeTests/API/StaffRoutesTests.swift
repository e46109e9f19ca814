import Contracts
import FoundationEssentials
import Kernel
import PartnerSimulator
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import Ledger
@testable import PartnersExchange

/// What colleagues do: files and reconciliation, work items, partners, payments.
@Suite(.exchangeDatabase) struct StaffRoutesTests {
    private struct FileSeen: Decodable, Hashable {
        let lines: Int
        let applied: Int
        let differences: Int
        let isKnown: Bool
    }

    private struct ItemsSeen: Decodable {
        struct Item: Decodable {
            let workItem: String
            let kind: String
            let exchange: Exchange.ID?
        }

        let items: [Item]
    }

    private struct PayoutSeen: Decodable {
        let payout: String
        let points: Int64?
        let kopecks: Int64?
        let refusal: String?
    }

    @Test func `a partner of files is sent a file and answers with one, which is taken once`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(9000)
            try await world.link("1234567889", with: "tehnosila", of: member)
            let first = try await world.exchange("tehnosila-bonus", 1000, of: member)
            let second = try await world.exchange("tehnosila-bonus", 2000, of: member)
            let third = try await world.exchange("tehnosila-bonus", 3000, of: member)
            try await eventually("captures", isTrue: { try await world.clearing() == 6000 })
            let finance = try await world.staff([.financeOperator])
            let orders = try await finance.get("/staff/v1/partners/tehnosila/orders")
            #expect(orders.text.contains("\(first);1234567889;tehnosila-bonus;100;1000\n"))
            #expect(orders.text.split(separator: "\n").count == 4)

            let unknown = world.ids.next(Exchange.self)
            let content = """
                order;status;units;reference
                \(first);credited;100;T-1
                \(second);rejected;0;account-closed
                \(third);credited;299;T-3
                \(unknown);credited;50;T-4

                """
            let file = ["day": "2026-03-02", "content": content]
            let taken = try await finance.post("/staff/v1/partners/tehnosila/files", file)
            #expect(
                try taken.json(FileSeen.self) == FileSeen(lines: 4, applied: 2, differences: 2, isKnown: false))
            let again = try await finance.post("/staff/v1/partners/tehnosila/files", file)
            #expect(try again.json(FileSeen.self) == FileSeen(lines: 4, applied: 2, differences: 2, isKnown: true))
            #expect(try await world.workItems() == ["other-units", "unknown-order"])
            _ = try await world.drive(first, of: member, to: .settled)
            #expect(try await world.drive(second, of: member, to: .reversed).reason == "account-closed")
            #expect(try await world.see(third, of: member).state == .accepted)
            #expect(try await world.balance(of: member) == [5000, 0])
            #expect(try await world.clearing() == 3000)

            // The next day's file lacks what we have as credited: each difference is one item, however often it is seen.
            for content in ["order;status;units;reference\n", "order;status;units;reference"] {
                let empty = try await finance.post(
                    "/staff/v1/partners/tehnosila/files", ["day": "2026-03-02", "content": content])
                #expect(try empty.json(FileSeen.self).differences == 1)
            }
            #expect(try await world.workItems() == ["missing-at-partner", "other-units", "unknown-order"])
        }
    }

    @Test func `a file with one bad line changes nothing`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link("1234567889", with: "tehnosila", of: member)
            let id = try await world.exchange("tehnosila-bonus", 1000, of: member)
            try await eventually("the capture", isTrue: { try await world.clearing() == 1000 })
            let finance = try await world.staff([.financeOperator])
            let content = "order;status;units;reference\n\(id);credited;100;T-1\nx;credited;100;T-1\n"
            let refused = try await finance.post(
                "/staff/v1/partners/tehnosila/files", ["day": "2026-03-02", "content": content])
            #expect(refused.problem == "file-malformed")
            #expect(refused.text.contains(#""line":3"#))
            #expect(try await world.see(id, of: member).state == .accepted)
            let noDay = try await finance.post(
                "/staff/v1/partners/tehnosila/files", ["day": "2026-02-30", "content": content])
            #expect(noDay.problem == "invalid-value")
        }
    }

    @Test func `what the clearing account has too much or too little becomes a work item`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(9000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let first = try await world.exchange("s7-miles", 1000, of: member)
            let second = try await world.exchange("s7-miles", 2000, of: member)
            for id in [first, second] { try await world.parts.flow.advance(RedemptionRecord.ID(id.raw), of: member) }
            #expect(try await world.clearing() == 3000)
            #expect(try await world.parts.reconcile() == 0)
            world.clock.advance(by: .seconds(7200))
            #expect(try await world.parts.reconcile() == 0)
            // Somebody has written an end here that the ledger knows nothing of, and settled there what is open here.
            try await world.owner.execute(
                "update partners_exchange.redemption set state = 'settled' where redemption_id = \(first)")
            let settled = SettleExchange(
                id: LedgerTransfer.ID(second.raw), member: member, hold: Hold.ID(second.raw))
            _ = try await world.ledger.transaction {
                try await TransferStore().apply([.settle(settled)], at: world.clock.now, in: $0)
            }
            #expect(try await world.parts.reconcile() == 2)
            #expect(try await world.parts.reconcile() == 2)
            #expect(try await world.workItems() == ["missing-in-clearing", "open-in-clearing"])
        }
    }

    @Test func `what a person finds out about a stuck exchange ends it`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(9000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            world.book.misbehave(.error, times: 1000)
            let id = try await world.exchange("s7-miles", 1000, of: member)
            let finance = try await world.staff([.financeOperator])
            let redemption = RedemptionRecord.ID(id.raw)
            while try await world.see(id, of: member).state != .manual {
                let record = try await world.parts.flow.store.find(redemption, of: member, in: world.database)
                if let due = record?.dueAt, due > world.clock.now { world.clock.set(to: due) }
                try await world.parts.flow.advance(redemption, of: member)
            }
            #expect(try await world.balance(of: member) == [8000, 1000])
            let staff = try await world.staff([.financeOperator])
            let items = try await staff.get("/staff/v1/work-items").json(ItemsSeen.self).items
            #expect(items.map(\.kind) == ["stuck"])
            #expect(items.map(\.exchange) == [id])
            let board = try await staff.get("/staff/v1/exchanges")
            #expect(board.text.contains(#""reason":"no-answer""#))
            let path = "/staff/v1/work-items/\(try #require(items.first).workItem)/decision"
            let silent = try await staff.post(path, ["decision": "rejected", "comment": " "])
            #expect(silent.problem == "invalid-value")
            let decided = try await staff.post(path, ["decision": "rejected", "comment": "Партнёр не зачислил."])
            #expect(decided.status == 200)
            let late = try await staff.post(path, ["decision": "credited", "comment": "Всё же зачислил."])
            #expect(late.problem == "work-item-closed")
            try await world.parts.flow.advance(redemption, of: member)
            #expect(try await world.see(id, of: member).state == .reversed)
            #expect(try await world.balance(of: member) == [9000, 0])
            #expect(try await finance.get("/staff/v1/work-items").status == 401)
        }
    }

    @Test func `a payment needs two people and is made once`() async throws {
        try await ExchangeWorld.run { world in
            let manager = try await world.staff([.partnerManager])
            _ = try await manager.post("/staff/v1/partner-offers/litres-500/codes", ["codes": ["CODE-1"]])
            let member = try await world.member(5000)
            let id = try await world.exchange("litres-500", 5000, of: member)
            _ = try await world.drive(id, of: member, to: .settled)
            let (one, other) = (world.ids.next(Staff.self), world.ids.next(Staff.self))
            let until = "\(world.clock.now + .seconds(3600))"
            let draft = try await world.staff([.financeOperator], one).post(
                "/staff/v1/partners/litres/payouts", ["until": until], headers: ["Idempotency-Key": "payout-0001"])
            #expect(draft.status == 201)
            let path = "/staff/v1/payouts/\(try draft.json(PayoutSeen.self).payout)/approval"
            let both: Set<StaffRole> = [.financeOperator, .financeApprover]
            #expect(try await world.staff(both, one).send("POST", path).problem == "same-person")
            for _ in 0..<2 {
                let paid = try await world.staff([.financeApprover], other).send("POST", path).json(PayoutSeen.self)
                #expect(paid.points == 5000 || paid.points == 0)
                #expect(paid.kopecks == 50_000)
                #expect(paid.refusal == nil)
            }
            let third = try await world.staff([.financeApprover]).send("POST", path)
            #expect(third.problem == "approved-by-other")
            #expect(
                try await world.owner.one(
                    "select count(*) from ledger.clearing_item where paid_by is not null"
                ).decode(Int64.self) == 1)
        }
    }

    @Test func `a partner manager cannot send us where the operator does not allow, and reads no secret`() async throws
    {
        try await ExchangeWorld.run { world in
            let manager = try await world.staff([.partnerManager])
            func change(_ body: [String: String]) async throws -> HTTPTestAnswer {
                try await manager.send("PATCH", "/staff/v1/partners/s7", body: try JSONEncoder().encode(body))
            }
            for address in ["http://169.254.169.254", "http://127.0.0.1:5432", "https://evil.example"] {
                let asked = try await manager.post(
                    "/staff/v1/partners/s7/address", ["address": address, "reason": "переезд"],
                    headers: ["Idempotency-Key": "address-\(world.ids.uuid())"])
                #expect(asked.problem == "address-not-allowed")
                #expect(try await change(["address": address]).problem == "unknown-field")
            }
            #expect(try await change(["secret": "short"]).problem == "weak-secret")
            let changed = try await change(["secret": String(repeating: "s", count: 32)])
            #expect(changed.status == 200)
            #expect(!changed.text.contains("ssss"))
            #expect(try await manager.get("/staff/v1/partners/s7").text == changed.text)
            #expect(try await manager.get("/staff/v1/partners/nobody").status == 404)
            let noPool = try await manager.post("/staff/v1/partner-offers/s7-miles/codes", ["codes": ["CODE-1"]])
            #expect(noPool.problem == "no-pool")
        }
    }

    @Test func `each route is for its roles, and for no member`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.client(try await world.member(10))
            let id = world.ids.uuid().uuidString.lowercased()
            let routes: [(String, String, Set<StaffRole>)] = [
                ("GET", "/staff/v1/partners/s7", [.partnerManager]),
                ("PATCH", "/staff/v1/partners/s7", [.partnerManager]),
                ("POST", "/staff/v1/partner-offers/litres-500/codes", [.partnerManager]),
                ("POST", "/staff/v1/partner-offers", [.partnerManager]),
                ("POST", "/staff/v1/partner-offers/s7-miles/changes", [.partnerManager]),
                ("POST", "/staff/v1/partner-offers/s7-miles/pause", [.partnerManager]),
                ("POST", "/staff/v1/partner-offers/s7-miles/end", [.partnerManager]),
                ("POST", "/staff/v1/partners/s7/address", [.partnerManager]),
                ("POST", "/staff/v1/partner-changes/\(id)/decision", [.partnerManager, .financeApprover]),
                ("GET", "/staff/v1/partner-offers", [.partnerManager, .financeOperator, .financeApprover, .auditor]),
                ("GET", "/staff/v1/partner-changes", [.partnerManager, .financeOperator, .financeApprover, .auditor]),
                ("POST", "/staff/v1/partners/s7/files", [.partnerManager, .financeOperator]),
                ("GET", "/staff/v1/partners/tehnosila/orders", [.partnerManager, .financeOperator]),
                (
                    "GET", "/staff/v1/exchanges",
                    [.partnerManager, .financeOperator, .financeApprover, .support, .supervisor, .auditor]
                ),
                (
                    "GET", "/staff/v1/work-items",
                    [.partnerManager, .financeOperator, .financeApprover, .support, .supervisor, .auditor]
                ),
                ("POST", "/staff/v1/work-items/\(id)/decision", [.financeOperator, .financeApprover]),
                ("POST", "/staff/v1/partners/s7/payouts", [.financeOperator]),
                ("POST", "/staff/v1/payouts/\(id)/approval", [.financeApprover]),
            ]
            for (method, path, roles) in routes {
                #expect(try await world.http.send(method, path).status == 401, "\(path)")
                #expect(try await member.send(method, path).status == 401, "\(path)")
                for role in StaffRole.allCases {
                    let status = try await world.staff([role]).send(method, path).status
                    #expect((status == 403) == !roles.contains(role), "\(method) \(path) \(role) \(status)")
                    #expect(status != 401 && status < 500, "\(method) \(path) \(role) \(status)")
                }
            }
        }
    }
}
