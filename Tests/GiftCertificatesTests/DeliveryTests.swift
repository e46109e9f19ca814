import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import GiftCertificates

/// A gift finds its recipient at the hour that was asked for, or its giver hears of it (features.md, row 32).
@Suite(.gifts) struct DeliveryTests {
    private static let mother = #"{"way": "phone", "name": "Мама", "phone": "+79161234567"}"#
    private static let friend = #"{"way": "email", "name": "Друг", "email": "friend@example.org"}"#
    /// Monday, ten in the morning in Moscow.
    private static let monday = Timestamp("2026-03-02T07:00:00Z")

    @Test func `a gift arrives next Friday at ten by the clock of its recipient, and is claimed by the link`()
        async throws
    {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(
                Giver.gift(
                    recipient: Self.mother, delivery: #"{"at": "2026-03-06T10:00", "zone": "Asia/Vladivostok"}"#))
            #expect(gift.state == "scheduled")
            #expect(gift.delivery?.dueAt == Timestamp("2026-03-06T00:00:00Z"))
            #expect(try await anna.client().get("/v1/certificates/\(gift.id)/code").status == 404)
            world.clock.set(to: try #require(Timestamp("2026-03-05T23:59:59Z")))
            try await world.keep()
            #expect(try await anna.certificate(gift.id).state == "scheduled")
            world.clock.advance(by: .seconds(1))
            try await world.keep()
            let notice = try await world.auth.told.next()
            #expect(notice.recipient.phone?.e164 == "+79161234567")
            #expect((notice.channels, notice.isHourChosen) == ([.sms], true))
            #expect(notice.russian.body.hasPrefix("Вера дарит вам 1500\u{A0}₽ https://club.example/g/"))
            #expect(notice.russian.body.count <= 70)
            #expect(try await anna.certificate(gift.id).state == "delivering")
            try await Self.tell(world, notice.id, .delivered)
            try await Self.eventually(anna, gift.id, "delivered")

            let link = try #require(notice.russian.body.split(separator: "/").last.map { String($0) })
            let mother = try await world.member()
            let claimed = try await mother.claim(["link": link]).json(CertificateSeen.self)
            #expect((claimed.state, claimed.isHolder, claimed.text) == ("activated", true, "С днём рождения!"))
            let code = try await mother.code(of: gift.id)
            #expect(try await world.spend(code, 150_000).remaining == 0)
            // Once it is the mother's, the giver cannot see the code, and nobody else can claim it.
            #expect(try await anna.client().get("/v1/certificates/\(gift.id)/code").status == 404)
            #expect(try await world.member().claim(["link": link]).status == 404)
        }
    }

    @Test func `the preview of a messenger burns nothing`() async throws {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(Giver.gift(recipient: Self.mother))
            try await world.keep()
            let notice = try await world.auth.told.next()
            let link = try #require(notice.russian.body.split(separator: "/").last)
            let before = try await Self.row(world)
            for _ in 0..<10 {
                let page = try await world.everybody().get("/v1/gifts/\(link)")
                #expect(page.status == 200)
                #expect(page.headers["cache-control"] == "no-store")
                #expect(!page.text.contains("code"))
                #expect(try await world.everybody().get("/v1/gifts/\(link)/card.svg").status == 200)
                #expect(try await world.everybody().send("HEAD", "/v1/gifts/\(link)").status == 200)
            }
            #expect(try await Self.row(world) == before)
            #expect(try await world.member().claim(["link": String(link)]).status == 200)
            #expect(try await anna.certificate(gift.id).state == "activated")
            #expect(try await world.everybody().get("/v1/gifts/\(GiftLink.make(random: .system).text)").status == 404)
        }
    }

    @Test func `nobody is woken at night unless it was asked for`() async throws {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 100_000)
            let night = #"{"at": "2026-03-06T22:00"}"#
            #expect(try await anna.draft(Giver.gift(recipient: Self.mother, delivery: night)).problem == "night-hour")
            let asked = #"{"at": "2026-03-06T22:00", "evenAtNight": true}"#
            let late = try await anna.buy(Giver.gift(value: 20_000, recipient: Self.mother, delivery: asked))
            #expect(late.delivery?.dueAt == Timestamp("2026-03-06T19:00:00Z"))
            // At once, when it is 23:30 in Kamchatka: at eight there.
            world.clock.set(to: try #require(Timestamp("2026-03-02T11:30:00Z")))
            let soon = try await anna.buy(
                Giver.gift(value: 20_000, recipient: Self.mother, delivery: #"{"zone": "Asia/Kamchatka"}"#))
            #expect(soon.delivery?.dueAt == Timestamp("2026-03-02T20:00:00Z"))
            // And when it is three in the morning in Moscow: at eight of the same day.
            world.clock.set(to: try #require(Timestamp("2026-03-03T00:00:00Z")))
            let early = try await anna.buy(Giver.gift(value: 20_000, recipient: Self.mother))
            #expect(early.delivery?.dueAt == Timestamp("2026-03-03T05:00:00Z"))
        }
    }

    @Test func `a time that is past or more than a year away is refused`() async throws {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member()
            for at in ["2026-03-02T09:00", "2027-03-03T10:00"] {
                let answer = try await anna.draft(Giver.gift(recipient: Self.mother, delivery: #"{"at": "\#(at)"}"#))
                #expect(answer.problem == "delivery-time")
            }
            for delivery in [#"{"at": "2026-02-30T10:00"}"#, #"{"zone": "Europe/Paris"}"#, #"{"at": "tomorrow"}"#] {
                #expect(try await anna.draft(Giver.gift(recipient: Self.mother, delivery: delivery)).status == 400)
            }
        }
    }

    @Test func `the giver is told of what has not arrived for a day, and sends it elsewhere; the old link is dead`()
        async throws
    {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(Giver.gift(recipient: Self.mother))
            try await world.keep()
            let first = try await world.auth.told.next()
            #expect(try await Self.readdress(anna, gift.id).problem == "on-its-way")
            world.clock.advance(by: .seconds(86_399))
            try await world.keep()
            #expect(try await anna.certificate(gift.id).undeliveredAt == nil)
            world.clock.advance(by: .seconds(1))
            try await world.keep()
            let told = try await world.auth.told.next()
            #expect(told.recipient.member == anna.id)
            #expect(told.russian.body.contains("+7 *** ***-**-67"))
            #expect(try await Self.readdress(anna, gift.id).json(CertificateSeen.self).state == "scheduled")
            try await world.keep()
            let second = try await world.auth.told.next()
            #expect(second.recipient.email?.address == "friend@example.org")
            #expect(second.channels == [.email])
            let old = try #require(first.russian.body.split(separator: "/").last)
            #expect(try await world.everybody().get("/v1/gifts/\(old)").status == 404)
            // Late news of the first way moves nothing; that a mail server took the second is all that mail can say.
            try await Self.tell(world, first.id, .undelivered)
            try await Self.tell(world, second.id, .sent)
            try await Self.eventually(anna, gift.id, "delivered")
            #expect(try await Self.readdress(anna, gift.id).problem == "wrong-state")
        }
    }

    @Test func `an undelivered SMS is told at once, and once`() async throws {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(Giver.gift(recipient: Self.mother))
            try await world.keep()
            let notice = try await world.auth.told.next()
            try await Self.tell(world, notice.id, .sent)
            try await Self.tell(world, notice.id, .undelivered)
            #expect(try await world.auth.told.next().recipient.member == anna.id)
            try await Self.tell(world, notice.id, .undelivered)
            world.clock.advance(by: .seconds(2 * 86_400))
            try await world.keep()
            let told: Int64 = try await world.neighbour.look(
                """
                select count(*)
                from queue.outcome
                join queue.queue on queue.id = outcome.queue_id
                where queue.name = 'auth.notifications'
                """)
            #expect(told == 2)
            #expect(try await anna.certificate(gift.id).undeliveredAt != nil)
        }
    }

    @Test func `when the giver is erased the words are gone, and the gift arrives all the same`() async throws {
        try await GiftWorld.run(ManualClock(try #require(Self.monday))) { world in
            let anna = try await world.member(points: 20_000)
            let gift = try await anna.buy(
                Giver.gift(recipient: Self.mother, delivery: #"{"at": "2026-03-06T10:00"}"#))
            try await world.neighbour.publish(MemberErased(member: anna.id, erasedAt: world.clock.now))
            try await TestSupport.eventually(
                "the words are gone", isTrue: { try await anna.certificate(gift.id).text == nil })
            world.clock.set(to: try #require(Timestamp("2026-03-06T07:00:00Z")))
            try await world.keep()
            let notice = try await world.auth.told.next()
            #expect(notice.russian.body.hasPrefix("Вам подарок 1500\u{A0}₽ https"))
        }
    }

    private static func readdress(_ giver: Giver, _ id: String) async throws -> HTTPTestAnswer {
        try await giver.client().send(
            "PUT", "/v1/certificates/\(id)/recipient", body: Data(#"{"recipient": \#(Self.friend)}"#.utf8))
    }

    private static func tell(_ world: GiftWorld, _ id: Notice.ID, _ state: NotificationMoved.State) async throws {
        try await world.neighbour.publish(
            NotificationMoved(id: id, state: state, channel: .sms, at: world.clock.now))
    }

    private static func eventually(_ giver: Giver, _ id: String, _ state: String) async throws {
        try await TestSupport.eventually(
            "it is \(state)", isTrue: { try await giver.certificate(id).state == state })
    }

    private static func row(_ world: GiftWorld) async throws -> String {
        try await world.neighbour.look("select c::text from gift_certificates.certificate as c")
    }
}
