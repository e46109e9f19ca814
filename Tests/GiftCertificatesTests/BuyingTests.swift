import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import GiftCertificates

/// From the draft to the paid certificate (features.md, rows 28 to 31).
@Suite(.gifts) struct BuyingTests {
    @Test func `a certificate for oneself is paid with points, and the books and the code know it at once`()
        async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let draft: CertificateSeen = try await anna.draft(Giver.gift()).json()
            #expect((draft.state, draft.value, draft.points) == ("draft", 150_000, 15_000))
            let paid: CertificateSeen = try await anna.pay(draft.id).json()
            #expect((paid.state, paid.remaining, paid.isHolder) == ("activated", 150_000, true))
            #expect(try await world.account("member:available") == 5000)
            #expect(try await world.account("certificate:funding") == 15_000)
            #expect(try await world.account("rub:certificate") == 150_000)
            #expect(
                world.auth.subjects == [
                    StepUpSubject(action: .certificate, amount: 15_000, unit: .points, target: "1500 ₽: себе")
                ])
            let code = try await anna.code(of: paid.id)
            #expect(CertificateCode(code) != nil)
            // Confirming again answers the same and takes nothing.
            #expect(
                try await anna.client().post("/v1/certificates/\(draft.id)/payment/confirm", ["code": "1"]).status
                    == 200)
            #expect(try await world.account("certificate:funding") == 15_000)
        }
    }

    @Test(arguments: [19_900, 300_100, 20_050, 0, -100] as [Int64])
    func `the face value is whole roubles from 200 to 3000, for the code and for the database`(value: Int64)
        async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member()
            #expect(try await anna.draft(Giver.gift(value: value)).problem == "invalid-face-value")
            let draft: CertificateSeen = try await anna.draft(Giver.gift(value: 20_000)).json()
            let test = try TestDatabase.current
            await #expect(throws: DatabaseError.self) {
                try await test.owner.execute(
                    "update gift_certificates.certificate set face_value = \(value), remaining = 0")
            }
            #expect(try await anna.certificate(draft.id).value == 20_000)
        }
    }

    @Test func `a wrong code buys nothing, too few points neither, and the draft can be paid for afterwards`()
        async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 100)
            let draft: CertificateSeen = try await anna.draft(Giver.gift(value: 20_000)).json()
            #expect(try await anna.pay(draft.id, code: "000000").problem == "code-refused")
            #expect(try await anna.pay(draft.id).problem == "insufficient-points")
            #expect(try await anna.certificate(draft.id).state == "draft")
            #expect(try await anna.client().get("/v1/certificates/\(draft.id)/code").status == 404)
            try await world.neighbour.earn(5000, for: anna.id, at: world.clock.now)
            #expect(try await anna.pay(draft.id).json(CertificateSeen.self).state == "activated")
        }
    }

    @Test func `a draft can be changed and dropped until it is paid for`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 50_000)
            let draft: CertificateSeen = try await anna.draft(Giver.gift()).json()
            let path = "/v1/certificates/\(draft.id)"
            let changed = try await anna.client().send("PUT", path, body: Data(Giver.gift(value: 30_000).utf8))
            #expect(try changed.json(CertificateSeen.self).points == 3000)
            _ = try await anna.client().post("\(path)/payment", text: "{}")
            let late = try await anna.client().send("PUT", path, body: Data(Giver.gift(value: 20_000).utf8))
            #expect(late.problem == "payment-under-way")
            #expect(try await anna.client().send("DELETE", path).status == 204)
            #expect(try await anna.certificate(draft.id).state == "cancelled")
            #expect(try await anna.pay(draft.id).problem == "wrong-state")
            let paid = try await anna.buy()
            #expect(try await anna.client().send("DELETE", "/v1/certificates/\(paid.id)").problem == "wrong-state")
            #expect(try await world.account("member:available") == 50_000 - 15_000)
        }
    }

    @Test func `five certificates and ten thousand roubles are a day's limit, however many are paid at once`()
        async throws
    {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 200_000)
            for _ in 0..<3 { _ = try await anna.buy(Giver.gift(value: 300_000)) }
            let fourth: CertificateSeen = try await anna.draft(Giver.gift(value: 100_100)).json()
            #expect(try await anna.pay(fourth.id).problem == "day-limit")

            let boris = try await world.member(points: 200_000)
            let drafts = try await (0..<8).asyncMap { _ in
                try await boris.draft(Giver.gift(value: 20_000)).json(CertificateSeen.self).id
            }
            for draft in drafts { _ = try await boris.client().post("/v1/certificates/\(draft)/payment", text: "{}") }
            let problems = try await withThrowingTaskGroup(of: String?.self) { group in
                for draft in drafts {
                    group.addTask {
                        try await boris.client().post(
                            "/v1/certificates/\(draft)/payment/confirm", ["code": StandInAuth.code]
                        ).problem
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(problems.count { $0 == nil } == 5)
            #expect(problems.count { $0 == "day-limit" } == 3)
            #expect(try await world.account("certificate:funding") == 90_000 + 10_000)
            world.clock.advance(by: .seconds(86_400))
            #expect(try await boris.buy(Giver.gift(value: 20_000)).state == "activated")
        }
    }

    @Test func `what cannot be printed is said to be so`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member()
            for text in [
                "Смотри на evil.ru", "звони 8 (916) 123-45-67", String(repeating: "а", count: 201), "\u{202E}abc",
            ] {
                #expect(try await anna.draft(Giver.gift(text: text)).problem == "text-refused")
            }
            #expect(try await anna.draft(Giver.gift(from: "http://a")).problem == "text-refused")
            let phone = #"{"way": "phone", "name": "Мама"}"#
            #expect(try await anna.draft(Giver.gift(recipient: phone)).problem == "invalid-recipient")
            #expect(try await anna.draft(Giver.gift(text: nil, from: nil)).status == 201)
        }
    }

    @Test func `neither code nor words nor address stand readably in the database`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let recipient = #"{"way": "phone", "name": "Екатерина", "phone": "+79161234567"}"#
            let gift = try await anna.buy(Giver.gift(recipient: recipient, text: "Люблю"))
            let row: String = try await world.neighbour.look(
                "select convert_from(convert_to(c::text, 'utf8'), 'utf8') from gift_certificates.certificate as c")
            for secret in ["Екатерина", "9161234567", "Люблю", "Вера"] { #expect(!row.contains(secret)) }
            #expect(try await anna.certificate(gift.id).text == "Люблю")
        }
    }

    @Test func `another's certificate is answered like none`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let boris = try await world.member()
            let gift = try await anna.buy()
            for path in ["", "/code", "/card.svg", "/page.svg", "/page.pdf"] {
                #expect(try await boris.client().get("/v1/certificates/\(gift.id)\(path)").status == 404)
                #expect(try await world.everybody().get("/v1/certificates/\(gift.id)\(path)").status == 401)
            }
            #expect(try await boris.pay(gift.id).status == 404)
            #expect(try await boris.client().send("DELETE", "/v1/certificates/\(gift.id)").status == 404)
        }
    }
}

extension Sequence where Element: Sendable {
    /// One after the other.
    func asyncMap<Other>(_ transform: (Element) async throws -> Other) async rethrows -> [Other] {
        var others: [Other] = []
        for element in self { others.append(try await transform(element)) }
        return others
    }
}
