import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import GiftCertificates

/// What colleagues do: stop a certificate, let it go on, give the points back by the word of two.
@Suite(.gifts) struct InterventionTests {
    private static let maker = Staff.ID(UUID())
    private static let checker = Staff.ID(UUID())

    @Test func `a blocked certificate buys nothing, not even what a till has set aside, until it goes on`() async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            let code = try await anna.code(of: gift.id)
            let placed: AuthorisationSeen = try await world.authorise(code, 1000).json()
            let path = "/v1/staff/certificates/\(gift.id)"
            let support = try world.staff(Self.maker, .support)
            let blocked = try await support.post("\(path)/block", ["reason": "жалоба владельца"])
            #expect(try blocked.json(StaffSeen.self) == StaffSeen(state: "blocked", held: 0, remaining: 150_000))
            #expect(try await world.end(placed.authorisation, "capture").problem == "authorisation-ended")
            #expect(try await world.authorise(code, 1).status == 404)
            #expect(try await support.post("\(path)/unblock", ["reason": "разобрались"]).problem == "role-missing")
            let supervisor = try world.staff(Self.checker, .supervisor)
            #expect(try await supervisor.post("\(path)/unblock", ["reason": "разобрались"]).status == 200)
            #expect(try await world.spend(code, 1000).remaining == 149_000)
            let reasons: [String] = try await world.neighbour.look(
                "select array_agg(action || ': ' || reason order by at, intervention_id) from gift_certificates.intervention"
            )
            #expect(reasons == ["block: жалоба владельца", "unblock: разобрались"])
        }
    }

    @Test func `two colleagues give the points back, and the books undo the issue`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            let code = try await anna.code(of: gift.id)
            let path = "/v1/staff/certificates/\(gift.id)/refund"
            let maker = try world.staff(Self.maker, .supervisor)
            let checker = try world.staff(Self.checker, .supervisor)
            #expect(try await checker.post("\(path)/approve", ["reason": "да"]).problem == "refund-decided")
            #expect(try await maker.post(path, ["reason": "передумала"]).status == 200)
            #expect(try await maker.post("\(path)/approve", ["reason": "да"]).problem == "same-person")
            let test = try TestDatabase.current
            await #expect(throws: DatabaseError.self) {
                try await test.owner.execute(
                    "update gift_certificates.refund set checker_id = maker_id, state = 'approved'")
            }
            #expect(try await checker.post("\(path)/approve", ["reason": "да"]).status == 200)
            try await eventually(
                "the certificate is refunded", isTrue: { try await anna.certificate(gift.id).state == "refunded" })
            #expect(try await world.account("member:available") == 20_000)
            #expect(try await world.account("rub:certificate") == 0)
            #expect(try await world.account("rub:points-funded") == 0)
            #expect(try await world.authorise(code, 1).status == 404)
            #expect(try await anna.certificate(gift.id).remaining == 0)
            #expect(try await checker.post("\(path)/approve", ["reason": "да"]).problem == "refund-decided")
        }
    }

    @Test func `what is partly spent is not given back`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            _ = try await world.spend(try await anna.code(of: gift.id), 100)
            let maker = try world.staff(Self.maker, .support)
            let answer = try await maker.post("/v1/staff/certificates/\(gift.id)/refund", ["reason": "вернуть"])
            #expect(answer.problem == "wrong-state")
        }
    }

    /// It is spent between the two words: the second one comes too late.
    @Test func `a refund that was asked for does not reach money that was spent meanwhile`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            let path = "/v1/staff/certificates/\(gift.id)/refund"
            _ = try await world.staff(Self.maker, .support).post(path, ["reason": "вернуть"])
            let placed: AuthorisationSeen = try await world.authorise(try await anna.code(of: gift.id), 100).json()
            let checker = try world.staff(Self.checker, .supervisor)
            #expect(try await checker.post("\(path)/approve", ["reason": "да"]).problem == "partly-spent")
            _ = try await world.end(placed.authorisation, "capture")
            #expect(try await checker.post("\(path)/approve", ["reason": "да"]).problem == "wrong-state")
            #expect(try await world.account("certificate:funding") == 15_000)
        }
    }

    @Test func `colleagues see neither code nor words nor address, and members are no colleagues`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(
                Giver.gift(recipient: #"{"way": "phone", "name": "Екатерина", "phone": "+79161234567"}"#))
            let path = "/v1/staff/certificates/\(gift.id)"
            let seen = try await world.staff(Self.maker, .auditor).get(path)
            #expect(seen.status == 200)
            for secret in ["Екатерина", "916", "рождения", "Вера"] { #expect(!seen.text.contains(secret)) }
            #expect(try await anna.client().get(path).problem == "token-invalid")
            #expect(try await world.staff(Self.maker, .promoEditor).get(path).problem == "role-missing")
            let auditor = try world.staff(Self.maker, .auditor)
            #expect(try await auditor.post("\(path)/block", ["reason": "а"]).problem == "role-missing")
        }
    }

    private struct StaffSeen: Decodable, Equatable {
        let state: String
        let held: Int64
        let remaining: Int64
    }
}
