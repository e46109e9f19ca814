import Contracts
import FoundationEssentials
import Kernel
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import Ledger
@testable import PartnersExchange

/// An exchange as the routes show it.
struct ExchangeSeen: Decodable, Hashable {
    struct Step: Decodable, Hashable {
        let state: RedemptionState
        let reason: String?
    }

    let exchange: Exchange.ID
    let state: RedemptionState
    let units: Int64
    let reason: String?
    let reference: String?
    let code: String?
    let startsAt: Timestamp?
    let expectedBy: Timestamp?
    let steps: [Step]
}

/// What tests do in the world.
extension ExchangeWorld {
    /// A member with points whom auth knows well.
    func member(_ points: Int64) async throws -> Member.ID {
        let member = self.ids.next(Member.self)
        self.auth.sees(member)
        let receipt = PostReceipt(
            receipt: self.ids.next(), member: member,
            fiscal: try #require(FiscalID(fn: "9960440300000001", fd: self.nextReceipt(), fpd: 7)),
            store: try #require(StoreID("moscow-1")), effectiveAt: self.clock.now, total: try #require(Kopecks(100)),
            accruals: [.init(lotClass: .regular, points: try #require(Points(points)), rule: "base")], ruleset: 1)
        _ = try await self.ledger.transaction {
            try await TransferStore().apply([.earn(receipt)], at: self.clock.now, in: $0)
        }
        return member
    }

    func client(_ member: Member.ID) async throws -> HTTPTestClient {
        self.http.authorized(try await self.issuer.member(member, at: self.clock.now))
    }

    func staff(_ roles: Set<StaffRole>, _ staff: Staff.ID? = nil) async throws -> HTTPTestClient {
        self.http.authorized(
            try await self.issuer.staff(staff ?? self.ids.next(), roles, at: self.clock.now))
    }

    @discardableResult
    func link(
        _ number: String, with partner: String, of member: Member.ID, surname: String = "Иванова"
    ) async throws -> HTTPTestAnswer {
        let body = try JSONEncoder().encode(["number": number, "surname": surname, "name": "Анна"])
        return try await self.client(member).send("PUT", "/v1/links/\(partner)", body: body)
    }

    func quote(_ offer: String, _ points: Int64, of member: Member.ID) async throws -> HTTPTestAnswer {
        struct Wanted: Encodable {
            let offer: String
            let points: Int64
        }
        return try await self.client(member).post(
            "/v1/exchanges", Wanted(offer: offer, points: points),
            headers: ["Idempotency-Key": "\(self.ids.uuid().uuidString)"])
    }

    /// Quotes, asks for the code and confirms.
    func exchange(_ offer: String, _ points: Int64, of member: Member.ID) async throws -> Exchange.ID {
        let quoted = try await self.quote(offer, points, of: member)
        try #require(quoted.status == 201, "\(quoted.text)")
        let id = try quoted.json(ExchangeSeen.self).exchange
        let confirmed = try await self.confirm(id, of: member)
        try #require(confirmed.status == 200, "\(confirmed.text)")
        return id
    }

    func confirm(_ id: Exchange.ID, of member: Member.ID) async throws -> HTTPTestAnswer {
        let client = try await self.client(member)
        let sent = try await client.post("/v1/exchanges/\(id)/code", [String: Bool]())
        guard sent.status == 200 else { return sent }
        return try await client.post("/v1/exchanges/\(id)/confirmation", ["code": AuthNeighbour.code])
    }

    func see(_ id: Exchange.ID, of member: Member.ID) async throws -> ExchangeSeen {
        try await self.client(member).get("/v1/exchanges/\(id)").json(ExchangeSeen.self)
    }

    /// Waits until an exchange is in one of the states, or at an end, moving the clock on to its duties.
    @discardableResult
    func drive(
        _ id: Exchange.ID, of member: Member.ID, until states: Set<RedemptionState>
    ) async throws -> RedemptionState {
        let redemption = RedemptionRecord.ID(id.raw)
        return try await eventually("the exchange is \(states)", within: .seconds(60)) { () -> RedemptionState? in
            let record = try await self.parts.flow.store.find(redemption, of: member, in: self.database)
            let found = try #require(record)
            if states.contains(found.state) || found.state.isEnd { return found.state }
            // The partner is being asked: with the clock moved on it would be asked a second time at once.
            if found.state == .submitted { return nil }
            if let due = found.dueAt, due > self.clock.now { self.clock.set(to: due) }
            try await self.parts.flow.advance(redemption, of: member)
            return nil
        }
    }

    /// The same for one state, in which it must be then.
    func drive(_ id: Exchange.ID, of member: Member.ID, to state: RedemptionState) async throws -> ExchangeSeen {
        try await self.drive(id, of: member, until: [state])
        let seen = try await self.see(id, of: member)
        #expect(seen.state == state, "\(seen)")
        return seen
    }

    /// What the member has: available and held.
    func balance(of member: Member.ID) async throws -> [Int64] {
        let balance = try await ReadMemberAccount(database: self.ledger, clock: self.clock).balance(of: member)
        return [balance.available.amount, balance.held.amount]
    }

    /// Points on the clearing accounts.
    func clearing() async throws -> Int64 {
        try await self.owner.one(
            "select coalesce(sum(points), 0)::bigint from ledger.clearing_item where settled_at is null"
        ).decode(Int64.self)
    }

    /// The kinds of open work items, sorted.
    func workItems() async throws -> [String] {
        try await self.owner.query(
            "select kind from partners_exchange.work_item where closed_at is null order by kind"
        ).map { try $0.decode(String.self) }
    }
}
