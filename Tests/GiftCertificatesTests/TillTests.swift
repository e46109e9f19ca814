import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import GiftCertificates

/// Spending at tills, in parts and by several at once.
@Suite(.gifts) struct TillTests {
    @Test func `a certificate is spent in parts in two shops, and the books follow`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            let code = try await anna.code(of: gift.id)
            let placed: AuthorisationSeen = try await world.authorise(code, 100_000).json()
            #expect((placed.state, placed.remaining) == ("placed", 50_000))
            let captured: AuthorisationSeen = try await world.end(placed.authorisation, "capture", amount: 60_050)
                .json()
            #expect((captured.state, captured.captured, captured.remaining) == ("captured", 60_050, 89_950))
            #expect(try await anna.certificate(gift.id).state == "partly-used")
            #expect(try await world.spend(code, 89_950, till: 2).remaining == 0)
            let used = try await anna.certificate(gift.id)
            #expect((used.state, used.remaining) == ("used", 0))
            try await eventually(
                "the books follow", isTrue: { try await world.account("rub:certificate:redeemed") == 150_000 })
            #expect(try await world.account("rub:certificate") == 0)
            let answer = try await world.authorise(code, 1)
            #expect((answer.status, answer.problem) == (409, "insufficient-money"))
            try await eventually("the ledger's word is noted") {
                try await world.neighbour.look(
                    "select count(*) = 2 from gift_certificates.authorisation where posted_at is not null and refusal is null"
                )
            }
        }
    }

    /// A9: a gift card spent twice concurrently (medusajs/medusa PR 16347, spree/spree PR 13734, opensourcepos PR 4640,
    /// Azuriom/Plugin-Shop #285). Twenty tills want all of it at once.
    @Test func `A9 many tills at once never spend more than there is`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let code = try await anna.code(of: try await anna.buy().id)
            let captured = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let till = number % 2 + 1
                        let placed = try await world.authorise(code, 150_000, till: till)
                        guard placed.status == 201 else { return 0 }
                        let id = try placed.json(AuthorisationSeen.self).authorisation
                        return try await world.end(id, "capture", till: till).json(AuthorisationSeen.self).captured ?? 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(captured == 150_000)
            try await eventually(
                "the books follow", isTrue: { try await world.account("rub:certificate:redeemed") == 150_000 })
            #expect(try await world.account("rub:certificate") == 0)
        }
    }

    /// A10: the loser of a race for a gift card was told "empty" instead of "in use, try again" (spree/spree PR 14577).
    @Test func `A10 the loser of a race is told that it is in use, with the time to try again`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let code = try await anna.code(of: try await anna.buy().id)
            let placed: AuthorisationSeen = try await world.authorise(code, 150_000).json()
            for amount in [150_000, 1, 150_001] as [Int64] {
                let answer = try await world.authorise(code, amount, till: 2)
                #expect((answer.status, answer.problem) == (409, "certificate-in-use"))
                #expect(answer.headers["retry-after"] == "5")
            }
            #expect(try await world.end(placed.authorisation, "void").json(AuthorisationSeen.self).state == "voided")
            #expect(try await world.authorise(code, 150_000, till: 2).status == 201)
        }
    }

    @Test func `the same request again gets the same answer, and another one under its key is refused`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let code = try await anna.code(of: try await anna.buy().id)
            let first: AuthorisationSeen = try await world.authorise(code, 1000, key: "k").json()
            let again = try await world.authorise(code, 1000, key: "k")
            #expect((again.status, again.headers["idempotent-replayed"]) == (200, "true"))
            #expect(try again.json(AuthorisationSeen.self).authorisation == first.authorisation)
            #expect(try await world.authorise(code, 2000, key: "k").problem == "idempotency-key-reused")
            #expect(
                try await world.end(first.authorisation, "capture").json(AuthorisationSeen.self).remaining == 149_000)
            #expect(
                try await world.end(first.authorisation, "capture").json(AuthorisationSeen.self).remaining == 149_000)
            #expect(try await world.end(first.authorisation, "capture", amount: 999).problem == "authorisation-ended")
            #expect(try await world.end(first.authorisation, "void").problem == "authorisation-ended")
        }
    }

    @Test func `what a till has forgotten is free again`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let code = try await anna.code(of: try await anna.buy().id)
            let forgotten: AuthorisationSeen = try await world.authorise(code, 150_000).json()
            world.clock.advance(by: .seconds(899))
            #expect(try await world.authorise(code, 1, till: 2).problem == "certificate-in-use")
            world.clock.advance(by: .seconds(1))
            let next: AuthorisationSeen = try await world.authorise(code, 150_000, till: 2).json()
            #expect(try await world.end(forgotten.authorisation, "capture").problem == "authorisation-ended")
            world.clock.advance(by: .seconds(900))
            try await world.keep()
            try await eventually("the sweep") {
                try await world.neighbour.look(
                    "select count(*) = 2 from gift_certificates.authorisation where state = 'lapsed'")
            }
            #expect(
                try await world.end(next.authorisation, "void", till: 2).json(AuthorisationSeen.self).state == "lapsed")
            let held: Int64 = try await world.neighbour.look("select held from gift_certificates.certificate")
            #expect(held == 0)
        }
    }

    @Test func `a till takes nothing without the scope, for another store, or of another store's authorisation`()
        async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let code = try await anna.code(of: try await anna.buy().id)
            #expect(try await world.authorise(code, 1, till: 3).problem == "api-key-scope")
            #expect(try await world.authorise(code, 1, till: 9).problem == "api-key-invalid")
            #expect(try await world.authorise(code, 1, store: "2").problem == "foreign-store")
            let placed: AuthorisationSeen = try await world.authorise(code, 100).json()
            #expect(try await world.end(placed.authorisation, "capture", till: 2).status == 404)
            #expect(try await world.end(placed.authorisation, "void", till: 2).status == 404)
            #expect(try await world.end(placed.authorisation, "capture", amount: 101).problem == "over-authorised")
        }
    }

    @Test func `a till that tries codes is stopped`() async throws {
        try await GiftWorld.run { world in
            for _ in 0..<20 {
                let code = CertificateCode.make(random: .system).grouped
                #expect(try await world.authorise(code, 1).status == 404)
            }
            let answer = try await world.authorise(CertificateCode.make(random: .system).grouped, 1)
            #expect((answer.status, answer.problem) == (429, "rate-limited"))
            // A slip of the finger does not reach the database, and is answered the same.
            #expect(try await world.authorise("0000-0000-0000-0000-1", 1, till: 2).status == 404)
        }
    }

    @Test func `the database itself keeps money from being spent twice`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            _ = try await anna.buy()
            let test = try TestDatabase.current
            for change: SQL in [
                "update gift_certificates.certificate set held = remaining + 1",
                "update gift_certificates.certificate set remaining = -1",
                "update gift_certificates.certificate set remaining = face_value + 100",
                "update gift_certificates.certificate set funding = 'money', state = 'expired'",
            ] {
                await #expect(throws: DatabaseError.self) { try await test.owner.execute(change) }
            }
        }
    }
}
