import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct ListRoutesTests {
    private struct Seen: Decodable {
        struct List: Decodable { let version: Int64 }
        struct Offer: Decodable { let sku: String }
        struct Item: Decodable {
            let item: String
            let text: String
            let isDone: Bool
            let isDeleted: Bool
            let offers: [Offer]
        }
        let list: List
        let items: [Item]
    }

    private static let path = "/v1/lists/0199b0c2-7a00-7000-8000-0000000000aa"

    private func change(_ item: Int, _ text: String, at: String, done: Bool = false, deleted: Bool = false) -> String {
        """
        {"item": "0199b0c2-7a00-7000-8000-00000000000\(item)", "text": "\(text)", "isDone": \(done),
        "isDeleted": \(deleted), "changedAt": "2026-11-23T\(at)Z"}
        """
    }

    private func merge(_ who: Person, since: Int64, _ items: [String]) async throws -> Seen {
        try await who.ask(
            .post, Self.path + "/changes", #"{"since": \#(since), "items": [\#(items.joined(separator: ","))]}"#
        ).read()
    }

    @Test func `a list is shared by a code that lets one in, and what was done offline is merged`() async throws {
        let world = try await TillWorld()
        let (wife, stranger) = (try await world.join(60).member, try await world.join(61).member)
        try await world.client { client in
            let he = try await world.member(nil, client)
            let she = try await world.member(wife, client)
            let nobody = try await world.member(stranger, client)
            for _ in 0..<2 { #expect(try await he.ask(.put, Self.path, #"{"title": "Семья"}"#).status == 200) }
            #expect(try await she.ask(.get, Self.path).problem?.code == "not-found")
            // Whoever knows the id takes nothing over.
            #expect(try await she.ask(.put, Self.path, #"{"title": "Моё"}"#).problem?.code == "not-found")
            struct Invitation: Decodable { let code: String }
            let code = try await he.ask(.post, Self.path + "/invitations").read(Invitation.self).code
            let join = #"{"code": "\#(code)"}"#
            #expect(try await she.ask(.post, "/v1/list-joins", join).status == 200)
            #expect(try await nobody.ask(.post, "/v1/list-joins", join).problem?.code == "not-found")
            #expect(try await nobody.ask(.get, Self.path).problem?.code == "not-found")
            let first = try await self.merge(
                he, since: 0, [self.change(1, "Молоко", at: "08:00:00"), self.change(2, "Хлеб", at: "08:00:00")])
            #expect(first.items.map(\.text) == ["Молоко", "Хлеб"])
            // She ticked the milk off at 08:30 and he renamed it at 08:20, offline; hers arrives first.
            let hers = try await self.merge(
                she, since: first.list.version, [self.change(1, "Молоко", at: "08:30:00", done: true)])
            #expect(hers.items.map(\.isDone) == [true])
            let his = try await self.merge(
                he, since: first.list.version,
                [self.change(1, "Кефир", at: "08:20:00"), self.change(2, "Хлеб", at: "08:25:00", deleted: true)])
            #expect(his.items.map(\.text) == ["Молоко", "Хлеб"])
            #expect(his.items.map(\.isDone) == [true, false])
            #expect(his.items.map(\.isDeleted) == [false, true])
            // Who begins anew sees what there is, and not what is gone.
            let whole: Seen = try await she.ask(.get, Self.path).read()
            #expect(whole.items.map(\.text) == ["Молоко"])
            let news: Seen = try await she.ask(.get, Self.path + "?since=\(his.list.version)").read()
            #expect(news.items.isEmpty)
            // A clock that is ahead does not win for ever.
            _ = try await self.merge(she, since: 0, [self.change(3, "Сыр", at: "23:59:59")])
            world.clock.advance(by: .seconds(60))
            let cheese = try await self.merge(he, since: 0, [self.change(3, "Творог", at: "09:00:30")])
            #expect(cheese.items.contains { $0.text == "Творог" })
            #expect(try await she.ask(.delete, Self.path).status == 204)
            #expect(try await she.ask(.get, Self.path).problem?.code == "not-found")
            #expect(try await he.ask(.get, Self.path).status == 200)
            #expect(try await he.ask(.delete, Self.path).status == 204)
        }
        #expect(try await world.count("select count(*) from promotions.shopping_list_item") == 0)
    }

    @Test func `items are matched with offers by product and by name`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Молоко 3,2 %", 9000), ("b", "Хлеб", 5000)])
        for (id, sku) in [(1, "a"), (2, "b")] {
            try await world.owner.execute(
                """
                insert into promotions.offer (
                    offer_id, sku, title_ru, title_en, old_price, price, from_day, to_day, drafted_by, approved_by
                )
                values (
                    md5(\("\(id)"))::uuid, \(sku), 'а', 'a', 9000, 8000, '2026-11-01', '2026-12-01', md5('x')::uuid,
                    md5('y')::uuid
                )
                """)
        }
        try await world.client { client in
            let member = try await world.member(nil, client)
            _ = try await member.ask(.put, Self.path, #"{"title": "Дом"}"#)
            let bread = self.change(2, "К чаю", at: "08:00:00").replacing(#""isDone""#, with: #""sku": "b", "isDone""#)
            let seen = try await self.merge(
                member, since: 0,
                [self.change(1, "молоко две пачки", at: "08:00:00"), bread, self.change(3, "Соль", at: "08:00:00")])
            #expect(seen.items.map { $0.offers.map(\.sku) } == [["a"], ["b"], []])
        }
    }

    @Test func `an invitation runs out, and a list has room for so many`() async throws {
        let world = try await TillWorld()
        let wife = try await world.join(60).member
        try await world.client { client in
            let he = try await world.member(nil, client)
            _ = try await he.ask(.put, Self.path, #"{"title": "Семья"}"#)
            struct Invitation: Decodable { let code: String }
            let code = try await he.ask(.post, Self.path + "/invitations").read(Invitation.self).code
            world.clock.advance(by: .seconds(86_400))
            let late = try await world.member(wife, client).ask(.post, "/v1/list-joins", #"{"code": "\#(code)"}"#)
            #expect(late.problem?.code == "not-found")
            for part in 0..<3 {
                let items = (0..<200).map { number in
                    """
                    {"item": "0199b0c2-7a00-7000-8000-\(String(100_000_000_000 + part * 1000 + number))", "text": "x",
                    "isDone": false, "isDeleted": false, "changedAt": "2026-11-23T08:00:00Z"}
                    """
                }
                let answer = try await he.ask(
                    .post, Self.path + "/changes", #"{"since": 0, "items": [\#(items.joined(separator: ","))]}"#)
                #expect(part < 2 ? answer.status == 200 : answer.problem?.code == "list-full")
            }
        }
        #expect(try await world.count("select count(*) from promotions.shopping_list_item") == 400)
    }
}
