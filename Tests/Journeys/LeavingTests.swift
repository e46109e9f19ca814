import Auth
import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Ledger
import Postgres
import TestSupport
import Testing

/// Across auth and the ledger, as processes run them: a device that is logged out reads no books any more, and whoever
/// leaves is gone from auth while the books still verify.
@Suite(.database(JobQueueMigrations.set, AuthModule.migrations, LedgerModule.migrations), .capturedLogs)
struct LeavingTests {
    private struct Challenge: Decodable { let challenge: String }
    private struct Ticket: Decodable { let registration: String }
    private struct Asked: Decodable { let id: String }
    private struct Registration: Decodable {
        struct Tokens: Decodable { let accessToken: String }
        let member: Member.ID
        let tokens: Tokens
    }

    private static let settings = [
        "CLUB_AUTH_MASTER_KEY": String(repeating: "m", count: 32),
        "CLUB_AUTH_LOOKUP_KEY": String(repeating: "l", count: 32),
        "CLUB_QUEUE_KEYS": "1:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    ]
    private static let phone = "+79161234567"

    /// The digits at the beginning of the newest message that was not there before.
    private func code(_ length: Int, after count: Int) async throws -> String {
        let read = ReadOutbox(database: try TestDatabase.current.owner)
        return try await eventually("a message with a code of \(length) digits") {
            let messages = try await read(to: PhoneNumber(parsing: Self.phone), limit: 20)
            guard messages.count > count else { return nil }
            return messages.lazy.map { String($0.text.prefix { $0.isNumber }) }.first { $0.utf8.count == length }
        }
    }

    /// Joins on the web.
    private func join(_ auth: HTTPTestClient) async throws -> Registration {
        let challenge = try await auth.post("/v1/challenges", ["phone": Self.phone]).json(Challenge.self).challenge
        let code = try await self.code(4, after: 0)
        let ticket = try await auth.post("/v1/sessions", ["challenge": challenge, "code": code]).json(Ticket.self)
        let registered = try await auth.post(
            "/v1/registrations",
            text: """
                {"registration": "\(ticket.registration)", "fullName": {"last": "Орлова", "first": "Вера"},
                 "consents": {"terms": true, "personalData": true, "marketing": false}}
                """)
        return try registered.json()
    }

    /// Posts a receipt as promotions would, and waits until the member sees the points.
    private func earn(_ points: Int64, _ joined: Registration, in world: ServiceWorld) async throws {
        let test = world.database
        let bus = Bus(
            service: "promotions", database: test.owner,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            logger: CapturedLogs.logger)
        let accrual = PostReceipt.Accrual(lotClass: .regular, points: try #require(Points(points)), rule: "base")
        try await bus.send(
            PostReceipt(
                receipt: Receipt.ID(UUID()), member: joined.member,
                fiscal: try #require(FiscalID(fn: "9999078900001234", fd: 1, fpd: 3_522_207_165)),
                store: try #require(StoreID("1204")), effectiveAt: SystemClock().now,
                total: try #require(Kopecks(100_000)), accruals: [accrual], ruleset: 1))
        let ledger = try world.client(for: "ledger").authorized(joined.tokens.accessToken)
        try await eventually("the points are in the books") {
            try await ledger.get("/v1/balance").text.contains(#""points":\#(points)"#)
        }
    }

    @Test func `a device that is logged out reads no balance any more, though its token is still good`() async throws {
        try await ServiceWorld.run([AuthModule.self, LedgerModule.self], settings: Self.settings) { world in
            let (auth, ledger) = (try world.client(for: "auth"), try world.client(for: "ledger"))
            let token = try await self.join(auth).tokens.accessToken
            let before = try await ledger.authorized(token).get("/v1/balance")
            #expect(before.status == 200)
            let ended = try await auth.authorized(token).send("DELETE", "/v1/me/sessions")
            #expect(ended.status == 204)
            let after = try await eventually("the ledger refuses the token") {
                let answer = try await ledger.authorized(token).get("/v1/balance")
                return answer.status == 401 ? answer : nil
            }
            #expect(after.text.contains("session-ended"))
        }
    }

    @Test func `whoever leaves is erased, and the books verify as before`() async throws {
        try await ServiceWorld.run([AuthModule.self, LedgerModule.self], settings: Self.settings) { world in
            let auth = try world.client(for: "auth")
            let joined = try await self.join(auth)
            try await self.earn(100, joined, in: world)
            let member = auth.authorized(joined.tokens.accessToken)
            let asked = try await member.post("/v1/me/erasures", text: "{}").json(Asked.self)
            let code = try await self.code(6, after: 1)
            let left = try await member.post("/v1/me/erasures/\(asked.id)/confirmation", ["code": code])
            #expect(left.status == 204, "\(left.text)")
            #expect(try await member.get("/v1/me").status == 401)
            let owner = world.database.owner
            let names = try await owner.one(
                "select count(*) from auth.personal_data where wrapped_key is not null or length(full_name) > 0"
            ).decode(Int.self)
            #expect(names == 0)
            let booked = try await owner.one("select count(*) from ledger.posting").decode(Int.self)
            #expect(booked > 0)
            #expect(try await VerifyLedger(database: owner, clock: SystemClock())().isEmpty)
        }
    }
}
