import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Ledger
import Postgres
import TestSupport
import Testing
import Web

@testable import Charity

extension Trait where Self == DatabaseTrait {
    /// A database with the queue, the ledger and charity in it, as production has it.
    static var charity: Self {
        .database(JobQueueMigrations.set, LedgerModule.migrations, CharityModule.migrations)
    }
}

/// charity and the ledger over real HTTP and a real bus, on a clock that the test moves.
struct CharityWorld: Sendable {
    /// The campaign that the migration brings.
    static let campaign = "01936f00-0000-7000-8000-000000000001"

    let clock: ManualClock
    let auth: StandInAuth
    let world: ServiceWorld
    let neighbour: Neighbour

    static func run(
        _ clock: ManualClock = ManualClock(), _ body: @escaping @Sendable (CharityWorld) async throws -> Void
    ) async throws {
        let auth = StandInAuth(clock: clock)
        try await auth.run(beside: [LedgerModule.self, CharityModule.self]) { world, neighbour in
            try await body(CharityWorld(clock: clock, auth: auth, world: world, neighbour: neighbour))
        }
    }

    /// Somebody with points.
    func member(points: Int64) async throws -> Donor {
        let id = Member.ID(UUID())
        try await self.neighbour.earn(points, for: id, at: self.clock.now)
        return Donor(id: id, world: self)
    }

    func everybody() throws -> HTTPTestClient { try self.world.client(for: "charity") }

    func staff(_ id: Staff.ID, _ roles: StaffRole...) throws -> HTTPTestClient {
        let token = try self.auth.token(of: id, Set(roles))
        return try self.everybody().authorized(token)
    }

    /// What the campaign's budget has left, in kopecks.
    func matchLeft() async throws -> Int64 {
        try await self.neighbour.look("select match_left from charity.campaign")
    }

    func setMatch(_ kopecks: Int64) async throws {
        let test = try TestDatabase.current
        try await test.owner.execute(
            "update charity.campaign set match_budget = \(kopecks), match_left = \(kopecks)")
    }

    /// Has what is due done, whatever the clock of the machine says.
    func keep() async throws { try await self.neighbour.runNow("charity.keep") }

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
}

/// A member at charity's interface.
struct Donor: Sendable {
    let id: Member.ID
    let world: CharityWorld

    func client() throws -> HTTPTestClient {
        try self.world.everybody().authorized(self.world.auth.token(of: self.id))
    }

    func quote(
        _ points: Int64, undoubled: Bool? = nil, key: String = UUID().uuidString
    ) async throws -> HTTPTestAnswer {
        // As text: the same request again is the same bytes.
        let more = undoubled.map { #", "undoubled": \#($0)"# } ?? ""
        return try await self.client().post(
            "/v1/donations", text: #"{"campaign": "\#(CharityWorld.campaign)", "points": \#(points)\#(more)}"#,
            headers: ["idempotency-key": key])
    }

    func confirm(_ donation: String, code: String? = nil) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/donations/\(donation)/confirm", ["code": code].compactMapValues { $0 })
    }

    func askCode(_ donation: String) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/donations/\(donation)/code", [String: Bool]())
    }

    func undo(_ donation: String) async throws -> HTTPTestAnswer {
        try await self.client().post("/v1/donations/\(donation)/undo", text: "{}")
    }

    func donation(_ id: String) async throws -> DonationSeen {
        try await self.client().get("/v1/donations/\(id)").json()
    }

    /// A donation that is confirmed.
    func give(_ points: Int64, undoubled: Bool? = nil) async throws -> DonationSeen {
        let quote: DonationSeen = try await self.quote(points, undoubled: undoubled).json()
        return try await self.confirm(quote.id).json()
    }
}

/// A donation as a test looks at it.
struct DonationSeen: Decodable, Hashable, Sendable {
    struct Settlement: Decodable, Hashable, Sendable {
        let id: String
        let state: String
        let acknowledgement: String?
    }

    let id: String
    let state: String
    let points: Int64
    let worth: Int64
    let match: Int64
    let needsCode: Bool
    let undoUntil: Timestamp?
    let bookedAt: Timestamp?
    let settlement: Settlement?
}
