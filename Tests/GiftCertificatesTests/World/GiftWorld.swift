import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Ledger
import Postgres
import TestSupport
import Testing
import Web

@testable import GiftCertificates

extension Trait where Self == DatabaseTrait {
    /// A database with the queue, the ledger and gift certificates in it, as production has it.
    static var gifts: Self {
        .database(JobQueueMigrations.set, LedgerModule.migrations, GiftCertificatesModule.migrations)
    }
}

/// Gift certificates and the ledger over real HTTP and a real bus, on a clock that the test moves.
struct GiftWorld: Sendable {
    let clock: ManualClock
    let auth: StandInAuth
    let world: ServiceWorld
    let neighbour: Neighbour

    /// Two tills of two stores, and one that may not take certificates.
    static func run(
        _ clock: ManualClock = ManualClock(), settings: [String: String] = [:],
        _ body: @escaping @Sendable (GiftWorld) async throws -> Void
    ) async throws {
        let auth = StandInAuth(clock: clock)
        for (till, scopes) in [("till1", ["certificates"]), ("till2", ["certificates"]), ("till3", ["receipts"])] {
            auth.addTillKey(till, store: StoreID(till == "till2" ? "2" : "1"), scopes: scopes)
        }
        let more = settings.merging(
            ["CLUB_GIFT_CERTIFICATES_LINK": "https://club.example/g/"], uniquingKeysWith: { first, _ in first })
        try await auth.run(beside: [LedgerModule.self, GiftCertificatesModule.self], settings: more) {
            try await body(GiftWorld(clock: clock, auth: auth, world: $0, neighbour: $1))
        }
    }

    func everybody() throws -> HTTPTestClient { try self.world.client(for: "gift_certificates") }

    /// Somebody with points.
    func member(points: Int64 = 0) async throws -> Giver {
        let id = Member.ID(UUID())
        if points > 0 { try await self.neighbour.earn(points, for: id, at: self.clock.now) }
        return Giver(id: id, world: self)
    }

    func till(_ number: Int) throws -> HTTPTestClient {
        try self.everybody().authorized("ck_till\(number)_secret")
    }

    func staff(_ id: Staff.ID, _ roles: StaffRole...) throws -> HTTPTestClient {
        try self.everybody().authorized(self.auth.token(of: id, Set(roles)))
    }

    /// Has what is due done, whatever the clock of the machine says.
    func keep() async throws { try await self.neighbour.runNow("gift_certificates.keep") }

    /// What the books have on an account: credits less debits.
    func account(_ code: String) async throws -> Int64 {
        try await self.neighbour.look(
            """
            select coalesce(sum(case when p.credit = a.id then p.amount else -p.amount end), 0)::bigint
            from ledger.account as a
            left join ledger.posting as p on a.id in (p.credit, p.debit)
            where a.code = \(code)
            """)
    }

    /// Sets money of a certificate aside at a till.
    func authorise(
        _ code: String, _ amount: Int64, till: Int = 1, key: String = UUID().uuidString, store: String? = nil
    ) async throws -> HTTPTestAnswer {
        let store = store ?? (till == 2 ? "2" : "1")
        return try await self.till(till).post(
            "/pos/v1/certificates/authorisations",
            text: #"{"code": "\#(code)", "store": "\#(store)", "amount": \#(amount)}"#,
            headers: ["idempotency-key": key])
    }

    func end(_ authorisation: String, _ how: String, till: Int = 1, amount: Int64? = nil) async throws -> HTTPTestAnswer
    {
        let body = amount.map { #"{"amount": \#($0)}"# } ?? "{}"
        return try await self.till(till).post(
            "/pos/v1/certificates/authorisations/\(authorisation)/\(how)", text: body)
    }

    /// Spends money of a certificate at a till.
    func spend(_ code: String, _ amount: Int64, till: Int = 1) async throws -> AuthorisationSeen {
        let placed: AuthorisationSeen = try await self.authorise(code, amount, till: till).json()
        return try await self.end(placed.authorisation, "capture", till: till).json()
    }
}

/// A member at the interface of gift certificates.
struct Giver: Sendable {
    let id: Member.ID
    let world: GiftWorld

    static let own = #"{"way": "self", "name": "Анна"}"#

    func client() throws -> HTTPTestClient {
        try self.world.everybody().authorized(self.world.auth.token(of: self.id))
    }

    /// The body of a gift.
    static func gift(
        value: Int64 = 150_000, recipient: String = own, delivery: String? = nil, text: String? = "С днём рождения!",
        from: String? = "Вера"
    ) -> String {
        var fields = [
            #""value": \#(value)"#, #""design": {"template": "birthday"}"#, #""recipient": \#(recipient)"#,
        ]
        if let text { fields.append(#""text": "\#(text)""#) }
        if let from { fields.append(#""from": "\#(from)""#) }
        if let delivery { fields.append(#""delivery": \#(delivery)"#) }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    func draft(_ gift: String, key: String = UUID().uuidString) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/certificates", text: gift, headers: ["idempotency-key": key])
    }

    func pay(_ id: String, code: String = StandInAuth.code) async throws -> HTTPTestAnswer {
        let asked = try await self.client().post("/v1/certificates/\(id)/payment", text: "{}")
        guard asked.status == 202 else { return asked }
        return try await self.client().post("/v1/certificates/\(id)/payment/confirm", ["code": code])
    }

    /// A certificate that is paid.
    func buy(_ gift: String = gift()) async throws -> CertificateSeen {
        let draft: CertificateSeen = try await self.draft(gift).json()
        return try await self.pay(draft.id).json()
    }

    func certificate(_ id: String) async throws -> CertificateSeen {
        try await self.client().get("/v1/certificates/\(id)").json()
    }

    func code(of id: String) async throws -> String {
        try await self.client().get("/v1/certificates/\(id)/code").json(CodeSeen.self).code
    }

    func claim(_ body: [String: String]) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/certificates/claim", body)
    }

    func balance(_ code: String) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/certificates/balance", ["code": code])
    }
}

/// A certificate as a test looks at it.
struct CertificateSeen: Decodable, Hashable, Sendable {
    let id: String
    let state: String
    let value: Int64
    let remaining: Int64
    let points: Int64
    let isHolder: Bool
    let text: String?
    let undeliveredAt: Timestamp?
    let expiresAt: Timestamp?
    let delivery: Delivery?

    struct Delivery: Decodable, Hashable, Sendable {
        let dueAt: Timestamp?
    }
}

struct AuthorisationSeen: Decodable, Hashable, Sendable {
    let authorisation: String
    let state: String
    let amount: Int64
    let captured: Int64?
    let remaining: Int64
}

struct CodeSeen: Decodable, Hashable, Sendable {
    let code: String
}
