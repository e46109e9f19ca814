import Contracts
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

/// What other services ask and tell.
@Suite(.promotionsDatabase, .capturedLogs) struct NeighbourTests {
    private let neighbours = Neighbours()

    /// What is published before somebody listens is heard by nobody.
    private func hears(_ event: String, in world: TillWorld) async throws {
        try await eventually("promotions hears \(event)") {
            try await world.count("select count(*) from queue.subscription where event = \(event)") > 0
        }
    }

    @Test func `a receipt is explained to its owner line by line, and of somebody else's nothing is told`() async throws
    {
        let world = try await TillWorld()
        let stranger = try await world.join(70).member
        let lines = """
            [{"position": 1, "sku": "a", "quantity": 1000, "price": 10000, "sum": 10000},
            {"position": 2, "sku": "b", "quantity": 1000, "price": 100, "sum": 100, "tags": ["tobacco"]}]
            """
        try await self.neighbours.run(around: world) {
            let answer: ReceiptAnswer = try await world.client {
                try await $0.deliver(ReceiptJSON(lines: lines, total: 10_100).text)
            }.read()
            func ask(_ member: Member.ID, _ document: Int64 = 4711) async throws -> ExplainReceipt.Reply {
                // A caller needs a worker of its own, which promotions has here.
                try await world.bus.call(
                    ExplainReceipt(member: member, fiscal: Make.fiscal(document)), deadline: .seconds(30))
            }
            let mine = try await ask(world.member)
            #expect(
                (mine.finding, mine.receipt, mine.points, mine.isPosted) == (
                    .credited, answer.receipt, Points(10), false
                ))
            #expect(mine.reasons.map { $0.contains("tobacco") } == [false, true])
            let foreign = try await ask(stranger)
            #expect(foreign == .init(finding: .foreign, receipt: nil, points: nil, isPosted: false, reasons: []))
            #expect(try await ask(world.member, 99).finding == .unknown)
        }
    }

    @Test func `who has locked spending pays with nothing, until it is unlocked; what is older does not count`()
        async throws
    {
        let world = try await TillWorld()
        self.neighbours.grants(500)
        let auth = TillWorld.bus("auth", world.owner)
        @Sendable func tell(_ isLocked: Bool, isActive: Bool = true, at: Int64) async throws {
            let standing = MemberStanding(
                isActive: isActive, isSpendingLocked: isLocked, phoneChangedAt: nil, language: "ru")
            try await world.owner.transaction { transaction in
                try await auth.publish(
                    StandingChanged(member: world.member, standing: standing, changedAt: Make.noon + .seconds(at)),
                    in: transaction)
            }
        }
        @Sendable func pay(_ token: String, _ client: any TestClientProtocol) async throws -> Answered {
            let body = """
                {"cardToken": "\(try await world.issuer.cardToken(world.member, id: token))", "store": "1", "points": 10,
                "total": 10000, "lines": [{"position": 1, "sku": "a", "quantity": 1000, "price": 10000, "sum": 10000}]}
                """
            return try await client.ask(
                .post, "/pos/v1/authorisations", body, headers: [try #require(HTTPField.Name("Idempotency-Key")): token]
            )
        }
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                try await self.hears(StandingChanged.name, in: world)
                try await tell(true, at: 10)
                try await eventually("the lock is heard") {
                    try await world.count("select count(*) from promotions.member_profile where is_locked") == 1
                }
                #expect(try await pay("t1", client).problem?.code == "spending-locked")
                try await tell(false, at: 5)
                try await tell(false, isActive: false, at: 20)
                try await eventually("the form is heard") {
                    try await world.count(
                        "select count(*) from promotions.member_profile where not is_active and not is_locked") == 1
                }
                #expect(try await pay("t2", client).problem?.code == "spending-locked")
                // Receipts earn all the same.
                #expect(try await client.deliver(ReceiptJSON.text).status == 201)
                try await tell(false, at: 30)
                try await eventually("spending is free") {
                    try await world.count("select count(*) from promotions.member_profile where is_active") == 1
                }
                #expect(try await pay("t3", client).status == 201)
            }
        }
    }

    @Test func `a birthday is told by auth, the latest telling holds, and rules know it`() async throws {
        let world = try await TillWorld()
        let auth = TillWorld.bus("auth", world.owner)
        try await world.enforce(
            Make.ruleset([
                Rule(
                    id: "birthday", lotClass: .birthday, when: .birthday(.init(before: 0, after: 0)),
                    effect: .earnAdd(points: 100, each: .receipt))
            ]))
        try await self.neighbours.run(around: world) {
            try await self.hears(BirthdaySet.name, in: world)
            try await world.owner.transaction { transaction in
                try await auth.publish(
                    BirthdaySet(member: world.member, month: 11, day: 23, changedAt: Make.noon + .seconds(3)),
                    in: transaction)
            }
            try await eventually("the birthday is heard") {
                try await world.count("select count(*) from promotions.member_profile where birth_day = 23") == 1
            }
            try await world.database.transaction { transaction in
                try await ProfileStore().upsert(
                    [(world.member, Birthday(month: 11, day: 22), Make.noon + .seconds(2))], in: transaction)
            }
            let answer: ReceiptAnswer = try await world.client { try await $0.deliver(ReceiptJSON.text) }.read()
            #expect(answer.points == Points(100))
        }
    }

    @Test func `who is erased leaves receipts and no more`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Филе", 300)])
        let list = "/v1/lists/0199b0c2-7a00-7000-8000-0000000000aa"
        let auth = TillWorld.bus("auth", world.owner)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON.text)
                let member = try await world.member(nil, client)
                _ = try await member.ask(.put, list, #"{"title": "Личное"}"#)
                _ = try await member.ask(.put, "/v1/favourites/products/a")
                _ = try await member.ask(.put, "/v1/favourites/categories", #"{"categories": ["meat"]}"#)
                try await self.hears(MemberErased.name, in: world)
                for _ in 0..<2 {
                    try await world.owner.transaction { transaction in
                        try await auth.publish(
                            MemberErased(member: world.member, erasedAt: Make.noon), in: transaction)
                    }
                }
                try await eventually("everything is gone") {
                    try await world.count(
                        """
                        select
                            (select count(*) from promotions.shopping_list)
                            + (select count(*) from promotions.favourite_product)
                            + (select count(*) from promotions.favourite_category)
                        """) == 0
                }
            }
        }
        #expect(try await world.count("select count(*) from promotions.receipt") == 1)
        #expect(
            try await world.count("select count(*) from promotions.member_profile where is_locked and not is_profiled")
                == 1)
    }
}
