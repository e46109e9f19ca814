import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

/// A token of a session that was logged out is refused although it has not run out.
@Suite(.database(), .capturedLogs) struct EndedSessionTests {
    private let clock = ManualClock()
    private let database: Database
    private let issuer: Issuer
    private let verifier: AccessTokenVerifier
    private let session = Session.ID(UUID())
    private let store = EndedSessionStore(schema: "shop")

    init() throws {
        let (issuer, database) = (try Issuer(), try TestDatabase.current.owner)
        (self.issuer, self.database) = (issuer, database)
        self.verifier = AccessTokenVerifier(
            clock: self.clock, endedSessions: EndedSessions(schema: "shop", database: database, clock: self.clock)
        ) { Issuer.jwks(issuer) }
    }

    private func makeTable() async throws {
        try await self.database.execute("create schema shop")
        try await self.database.execute(
            "create table shop.ended_session (session_id uuid primary key, forget_at timestamptz not null)")
    }

    private func note(_ sessions: Session.ID..., forgetAfter time: Duration = .seconds(660)) async throws {
        let now = self.clock.now
        try await self.database.transaction { transaction in
            try await self.store.note(
                sessions.map { .init(session: $0, forgetAt: now + time) }, at: now, in: transaction)
        }
    }

    private func accessToken(_ session: Session.ID) async throws -> String {
        try await self.issuer.sign(BentClaims(at: self.clock.now).bent { $0.sid = "\(session)" })
    }

    private func refusal(_ verify: () async throws -> Void) async -> String? {
        do {
            try await verify()
            return nil
        } catch let problem as Problem {
            return problem.kind.code
        } catch {
            return "\(type(of: error))"
        }
    }

    @Test func `within two seconds of the news a token of an ended session is refused, others are not`() async throws {
        try await self.makeTable()
        let (mine, other) = (try await self.accessToken(self.session), try await self.accessToken(Session.ID(UUID())))
        _ = try await self.verifier.verify(mine)
        try await self.note(self.session)
        self.clock.advance(by: .seconds(2))
        #expect(await self.refusal { _ = try await self.verifier.verify(mine) } == "session-ended")
        #expect(try await self.verifier.verify(other).session != self.session)
    }

    @Test func `the token of an ended session's screen is refused as well`() async throws {
        try await self.makeTable()
        let token = CardToken(
            member: Member.ID(UUID()), id: "n1", expiresAt: self.clock.now + .seconds(60), session: self.session)
        let text = try await self.issuer.sign(CardTokenClaims(token, issuedAt: self.clock.now))
        #expect(try await self.verifier.verifyCard(text) == token)
        try await self.note(self.session)
        self.clock.advance(by: .seconds(2))
        #expect(await self.refusal { _ = try await self.verifier.verifyCard(text) } == "session-ended")
    }

    @Test func `hearing it twice changes nothing, and what no token is left of is forgotten`() async throws {
        try await self.makeTable()
        try await self.note(self.session, self.session)
        try await self.note(self.session)
        func count() async throws -> Int {
            try await self.database.one("select count(*) from shop.ended_session").decode(Int.self)
        }
        #expect(try await count() == 1)
        self.clock.advance(by: .seconds(660))
        try await self.note()
        #expect(try await count() == 0)
    }

    @Test func `nobody is let in when it cannot be found out`() async throws {
        let token = try await self.accessToken(self.session)
        #expect(await self.refusal { _ = try await self.verifier.verify(token) } == "DatabaseError")
    }
}
