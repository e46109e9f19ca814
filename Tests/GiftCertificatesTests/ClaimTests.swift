import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import GiftCertificates

/// Codes that somebody has given: looked up and claimed within limits, and telling nothing to who tries.
@Suite(.gifts) struct ClaimTests {
    private static let mother = #"{"way": "phone", "name": "Мама", "phone": "+79161234567"}"#

    @Test func `unknown, malformed, blocked and foreign are the same 404`() async throws {
        try await GiftWorld.run(settings: ["CLUB_GIFT_CERTIFICATES_ACCOUNT_HOUR": "100"]) { world in
            let anna = try await world.member(points: 40_000)
            let code = try await anna.code(of: try await anna.buy().id)
            let blocked = try await anna.buy()
            let blockedCode = try await anna.code(of: blocked.id)
            let staff = try world.staff(Staff.ID(UUID()), .support)
            _ = try await staff.post("/v1/staff/certificates/\(blocked.id)/block", ["reason": "кража"])
            let boris = try await world.member()
            var answers: Set<String> = []
            for text in [code, blockedCode, CertificateCode.make(random: .system).grouped, "no code at all"] {
                for answer in [try await boris.claim(["code": text]), try await boris.balance(text)] {
                    #expect(answer.status == 404)
                    answers.insert(answer.text)
                }
            }
            #expect(answers.count == 1)
            #expect(try await anna.balance(blockedCode).status == 404)
            #expect(try await anna.balance(code).status == 200)
        }
    }

    @Test func `an account looks five times an hour, whatever it looks for, and several at once do not slip through`()
        async throws
    {
        try await GiftWorld.run { world in
            let boris = try await world.member()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask { try await boris.balance(CertificateCode.make(random: .system).text).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 404 } == 5)
            #expect(statuses.count { $0 == 429 } == 7)
            // A right code as well, and another hour.
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(Giver.gift(recipient: Self.mother))
            try await world.keep()
            let link = try #require(try await world.auth.told.next().russian.body.split(separator: "/").last)
            let answer = try await boris.claim(["link": String(link)])
            #expect(answer.status == 429)
            #expect(answer.headers["retry-after"] == "3600")
            world.clock.advance(by: .seconds(3601))
            #expect(try await boris.claim(["link": String(link)]).status == 200)
            #expect(try await anna.certificate(gift.id).state == "activated")
        }
    }

    @Test func `a network looks twenty times an hour, however many accounts it has`() async throws {
        try await GiftWorld.run { world in
            var statuses: [Int] = []
            for _ in 0..<7 {
                let member = try await world.member()
                for _ in 0..<3 { statuses.append(try await member.balance("0").status) }
            }
            #expect(statuses == Array(repeating: 404, count: 20) + [429])
        }
    }

    /// The window slides: five at the end of one hour and five at the beginning of the next would be ten in a minute.
    @Test func `the hour slides`() async throws {
        try await GiftWorld.run { world in
            let boris = try await world.member()
            for _ in 0..<5 {
                #expect(try await boris.balance("0").status == 404)
                world.clock.advance(by: .seconds(600))
            }
            #expect(try await boris.balance("0").status == 429)
            world.clock.advance(by: .seconds(601))
            #expect(try await boris.balance("0").status == 404)
            #expect(try await boris.balance("0").status == 429)
        }
    }

    @Test func `claiming is once, and again for the one who has it`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            _ = try await anna.buy(Giver.gift(recipient: Self.mother))
            try await world.keep()
            let link = String(try #require(try await world.auth.told.next().russian.body.split(separator: "/").last))
            let members = try await (0..<6).asyncMap { _ in try await world.member() }
            let statuses = try await withThrowingTaskGroup(of: (Giver, Int).self) { group in
                for member in members {
                    group.addTask { (member, try await member.claim(["link": link]).status) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0.1 == 200 } == 1)
            #expect(statuses.count { $0.1 == 404 } == 5)
            let holder = try #require(statuses.first { $0.1 == 200 }).0
            #expect(try await holder.claim(["link": link]).status == 200)
            #expect(
                try await holder.client().post("/v1/certificates/claim", ["code": "1", "link": link]).status == 400)
            #expect(
                try await world.everybody().post("/v1/certificates/claim", ["link": link]).problem == "token-missing")
        }
    }

    @Test func `a certificate that points have bought is over after a year`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            let code = try await anna.code(of: gift.id)
            #expect(gift.expiresAt == world.clock.now + .seconds(365 * 86_400))
            world.clock.advance(by: .seconds(365 * 86_400))
            #expect(try await world.authorise(code, 1).status == 404)
            try await world.keep()
            #expect(try await anna.certificate(gift.id).state == "expired")
        }
    }

    /// What is left when the time is over leaves the certificates' account, once, and not before the books have heard
    /// of everything that tills have taken.
    @Test func `what is left on an expired certificate is written off in the books`() async throws {
        try await GiftWorld.run { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy()
            _ = try await world.spend(try await anna.code(of: gift.id), 50_000)
            try await eventually("the till's money is booked") {
                try await world.account("rub:certificate:redeemed") == 50_000
            }
            let test = try TestDatabase.current
            let isNoted: @Sendable () async throws -> Bool = {
                try await world.neighbour.look(
                    "select bool_and(posted_at is not null) from gift_certificates.authorisation")
            }
            try await eventually("the service has heard of it", isTrue: { try await isNoted() })
            try await test.owner.execute(
                "update gift_certificates.certificate set expires_at = \(world.clock.now + .seconds(1))")
            try await test.owner.execute("update gift_certificates.authorisation set posted_at = null")
            world.clock.advance(by: .seconds(2))
            try await world.keep()
            try await eventually(
                "it is over", isTrue: { try await anna.certificate(gift.id).state == "expired" })
            #expect(try await anna.certificate(gift.id).remaining == 100_000)
            #expect(
                try await world.neighbour.look("select write_off_sent_at is null from gift_certificates.certificate"))

            try await test.owner.execute("update gift_certificates.authorisation set posted_at = now()")
            for _ in 0..<2 {
                try await world.keep()
                try await eventually(
                    "nothing is left", isTrue: { try await anna.certificate(gift.id).remaining == 0 })
            }
            #expect(try await world.account("rub:certificate") == 0)
            #expect(try await world.account("rub:certificate:breakage") == 100_000)
            let writtenOff: Int64 = try await world.neighbour.look(
                "select written_off from gift_certificates.certificate")
            #expect(writtenOff == 100_000)
        }
    }
}
