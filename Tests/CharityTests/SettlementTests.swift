import Contracts
import Crypto
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Charity

/// The month's end: a signed file, two colleagues, the ledger's payment, the fund's number, and the donor's proof.
@Suite(.charity) struct SettlementTests {
    private static let maker = Staff.ID(UUID())
    private static let checker = Staff.ID(UUID())

    @Test func `a month is paid by two colleagues, and its donors find themselves in the signed file`() async throws {
        try await CharityWorld.run(ManualClock(try #require(Timestamp("2026-03-10T09:00:00Z")))) { world in
            let (anna, given) = try await Self.donated(world, 300)
            let maker = try world.staff(Self.maker, .financeOperator)
            let body = ["fund": "line-of-life", "month": "2026-03"]
            #expect(try await maker.post("/v1/staff/settlements", body).problem == "month-not-over")
            world.clock.set(to: try #require(Timestamp("2026-04-02T09:00:00Z")))
            let prepared = try await world.staff(Self.maker, .financeOperator).post("/v1/staff/settlements", body)
            let batch: StaffBatchSeen = try prepared.json()
            #expect(batch.batch.state == "prepared")
            #expect((batch.batch.donations, batch.batch.worth, batch.batch.match) == (1, 3000, 3000))
            // Nobody outside sees it before it is paid.
            #expect(try await world.everybody().get("/v1/settlements/\(batch.batch.id)").status == 404)

            try await Self.pay(batch.batch.id, world)
            let paid: BatchSeen = try await world.everybody().get("/v1/settlements/\(batch.batch.id)").json()
            #expect((paid.state, paid.total) == ("paid", 6000))
            #expect(try await world.account("charity:line-of-life:clearing") == 0)
            #expect(try await world.account("rub:charity:line-of-life:payable") == 0)
            #expect(try await world.account("rub:charity:line-of-life:paid") == 6000)

            let acknowledged = try await world.staff(Self.maker, .financeOperator).post(
                "/v1/staff/settlements/\(paid.id)/acknowledge", ["number": "ЛЖ-2026/03-17"])
            #expect(acknowledged.status == 200)
            let proof = try await anna.donation(given).settlement
            #expect(proof?.acknowledgement == "ЛЖ-2026/03-17")
            try await Self.check(paid, contains: given, world)
            try await Self.expectTold(anna, world)
        }
    }

    /// Once, however often the house is kept, and with what the fund has said.
    private static func expectTold(_ donor: Donor, _ world: CharityWorld) async throws {
        try await world.keep()
        let notice = try await world.auth.told.next()
        #expect(notice.recipient.member == donor.id)
        #expect(notice.purpose == .service)
        #expect(notice.russian.body.contains("ЛЖ-2026/03-17"))
        #expect(notice.russian.body.contains("60\u{A0}₽"))
        #expect(notice.english.body.contains("ЛЖ-2026/03-17"))
        let told = world.clock.now
        world.clock.advance(by: .seconds(60))
        try await world.keep()
        let isTold: Bool = try await world.neighbour.look(
            """
            select (select bool_and(told_at = \(told)) from charity.donation)
                and (select bool_and(donors_told_at = \(told)) from charity.batch)
            """)
        #expect(isTold)
    }

    /// As a donor would check it: the hash, the signature by a published key, the own number, and the sums.
    private static func check(_ batch: BatchSeen, contains donation: String, _ world: CharityWorld) async throws {
        let file = try await world.everybody().get("/v1/settlements/\(batch.id)/file")
        #expect(Base64URL.encode(Array(SHA256.hash(data: file.body))) == batch.fileSHA256)
        let keys: [KeySeen] = try await world.everybody().get("/v1/settlement-keys").json()
        let key = try #require(keys.first { $0.id == batch.key })
        let publicKey = try Curve25519.Signing.PublicKey(
            rawRepresentation: try #require(Base64URL.decode(key.publicKey)))
        let signature = try #require(Base64URL.decode(batch.signature))
        #expect(publicKey.isValidSignature(signature, for: file.body))
        #expect(!publicKey.isValidSignature(signature, for: file.body + Data("0".utf8)))
        let lines = file.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.dropFirst()
        #expect(lines.contains { $0.hasPrefix(donation + ",") })
        let sums = lines.map { $0.split(separator: ",").dropFirst(3).compactMap { Int64($0) } }
        #expect(sums.reduce(0) { $0 + $1.reduce(0, +) } == batch.total)
    }

    @Test func `who has submitted a batch cannot approve it, in the code and in the database`() async throws {
        try await CharityWorld.run(ManualClock(try #require(Timestamp("2026-03-10T09:00:00Z")))) { world in
            _ = try await Self.donated(world, 100)
            world.clock.set(to: try #require(Timestamp("2026-04-03T09:00:00Z")))
            let both = try world.staff(Self.maker, .financeOperator, .financeApprover)
            let batch: StaffBatchSeen = try await both.post(
                "/v1/staff/settlements", ["fund": "line-of-life", "month": "2026-03"]
            ).json()
            let path = "/v1/staff/settlements/\(batch.batch.id)"
            #expect(try await both.post("\(path)/approve", text: "{}").problem == "wrong-state")
            #expect(try await both.post("\(path)/submit", text: "{}").status == 200)
            #expect(try await both.post("\(path)/approve", text: "{}").problem == "same-person")
            let test = try TestDatabase.current
            await #expect(throws: (any Error).self) {
                try await test.owner.execute("update charity.batch set checker_id = maker_id, state = 'approved'")
            }
            #expect(try await world.account("rub:charity:line-of-life:paid") == 0)
        }
    }

    @Test func `batches are made by themselves, and a donation is in one of them only`() async throws {
        try await CharityWorld.run(ManualClock(try #require(Timestamp("2026-03-31T08:00:00Z")))) { world in
            let (_, march) = try await Self.donated(world, 100)
            world.clock.set(to: try #require(Timestamp("2026-04-01T12:00:00Z")))
            let (boris, april) = try await Self.donated(world, 200)
            world.clock.set(to: try #require(Timestamp("2026-04-02T12:00:00Z")))
            try await world.keep()
            try await eventually("March's batch") {
                try await world.neighbour.look("select count(*) = 1 from charity.batch")
            }
            try await world.keep()
            let batched: [String] = try await world.neighbour.look(
                "select array_agg(donation_id::text) from charity.donation where batch_id is not null")
            #expect(batched == [march])
            #expect(try await boris.donation(april).settlement == nil)
        }
    }

    /// At the turn of a month this service's clock and the ledger's might say two different months.
    @Test func `nothing is booked while the month turns`() async throws {
        try await CharityWorld.run(ManualClock(try #require(Timestamp("2026-03-31T20:20:00Z")))) { world in
            let anna = try await world.member(points: 100)
            let given = try await anna.give(100)
            // 23:58:30 in Moscow: half an hour and more has passed.
            world.clock.set(to: try #require(Timestamp("2026-03-31T20:58:30Z")))
            try await world.keep()
            try await eventually("it is being given", isTrue: { try await anna.donation(given.id).state == "giving" })
            #expect(try await world.account("charity:line-of-life:clearing") == 0)
            world.clock.set(to: try #require(Timestamp("2026-03-31T21:05:00Z")))
            try await world.keep()
            try await eventually("it is given", isTrue: { try await anna.donation(given.id).state == "given" })
            let month: String = try await world.neighbour.look(
                "select to_char(booked_at at time zone 'Europe/Moscow', 'YYYY-MM') from charity.donation")
            #expect(month == "2026-04")
        }
    }

    @Test func `roles are told apart`() async throws {
        try await CharityWorld.run { world in
            let approver = try world.staff(Self.checker, .financeApprover)
            let body = ["fund": "line-of-life", "month": "2026-01"]
            #expect(try await approver.post("/v1/staff/settlements", body).problem == "role-missing")
            let auditor = try world.staff(Self.checker, .auditor)
            #expect(try await auditor.get("/v1/staff/settlements").status == 200)
            #expect(try await auditor.post("/v1/staff/settlements", body).problem == "role-missing")
            let anna = try await world.member(points: 10)
            #expect(try await anna.client().get("/v1/staff/settlements").status == 401)
            #expect(try await world.everybody().get("/v1/staff/settlements").problem == "token-missing")
        }
    }

    /// Somebody whose donation is given.
    private static func donated(_ world: CharityWorld, _ points: Int64) async throws -> (Donor, String) {
        let donor = try await world.member(points: points)
        let given = try await donor.give(points)
        world.clock.advance(by: .seconds(1861))
        try await world.keep()
        try await eventually("it is given", isTrue: { try await donor.donation(given.id).state == "given" })
        return (donor, given.id)
    }

    private static func pay(_ batch: String, _ world: CharityWorld) async throws {
        let path = "/v1/staff/settlements/\(batch)"
        #expect(try await world.staff(Self.maker, .financeOperator).post("\(path)/submit", text: "{}").status == 200)
        let approved = try await world.staff(Self.checker, .financeApprover).post("\(path)/approve", text: "{}")
        #expect(try approved.json(StaffBatchSeen.self).batch.state == "paid")
    }
}

/// A batch as a test looks at it.
struct BatchSeen: Decodable, Hashable, Sendable {
    let id: String
    let state: String
    let donations: Int64
    let worth: Int64
    let match: Int64
    let total: Int64
    let fileSHA256: String
    let signature: String
    let key: String
}

struct StaffBatchSeen: Decodable, Hashable, Sendable {
    let batch: BatchSeen
}

struct KeySeen: Decodable, Hashable, Sendable {
    let id: String
    let publicKey: String
}
