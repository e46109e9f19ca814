import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// Shared shopping lists.
struct ListRoutes: Sendable {
    /// Changes of one request.
    private static let changesMax = 200
    private static let invitation = Duration.seconds(86_400)

    private let database: Database
    private let clock: any WallClock
    private let random: RandomBytes
    private let store = ListStore()
    private let offers = OfferStore()

    init(database: Database, clock: any WallClock, random: RandomBytes) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("lists") { _, context in
            let member = try context.requireMember().member
            let lists = try await self.store.lists(of: member, in: self.database)
            return try Answer.json(["items": lists.map(ListBody.init)])
        }
        group.get("lists/:list") { request, context in
            let since = request.uri.queryParameters["since"].map { Int64($0) } ?? 0
            guard let since, since >= 0 else { throw Problem(.invalidValue, detail: "since is a version") }
            let (list, _) = try await self.list(context)
            return try Answer.json(try await self.state(of: list, since: since))
        }
        group.put("lists/:list") { request, context in
            let member = try context.requireMember().member
            let id = try context.id("list", of: ShoppingList.self)
            let body = try await StrictJSON.decode(ListTitleBody.self, from: request)
            guard body.title.isLine(max: 100) else {
                throw Problem(.invalidValue, at: "/title", detail: "1 to 100 characters")
            }
            let now = self.clock.now
            let isMine = try await self.database.transaction { transaction in
                try await self.store.put(id, titled: body.title, for: member, at: now, in: transaction)
            }
            guard isMine, let list = try await self.store.find(id, of: member, in: self.database) else {
                throw Problem(ProblemKind.notFound)
            }
            return try Answer.json(ListBody(list))
        }
        group.delete("lists/:list") { _, context in
            let (list, member) = try await self.list(context)
            try await self.database.transaction { transaction in
                try await self.store.leave(list, member, in: transaction)
            }
            return Answer.empty()
        }
        self.addSharing(to: group)
    }

    private func addSharing(to group: RouterGroup<ClubRequestContext>) {
        group.post("lists/:list/changes") { request, context in
            let (list, member) = try await self.list(context)
            let body = try await StrictJSON.decode(ChangesBody.self, from: request)
            let items = try body.parsed(most: Self.changesMax, at: self.clock.now)
            try await self.merge(items, into: list, by: member)
            let (now, _) = try await self.list(context)
            return try Answer.json(try await self.state(of: now, since: body.since))
        }
        group.post("lists/:list/invitations") { _, context in
            let (list, _) = try await self.list(context)
            let code = Base64URL.encode(self.random.next(12))
            let expiresAt = self.clock.now + Self.invitation
            try await self.store.invite(to: list.id, hash: Self.hash(code), until: expiresAt, in: self.database)
            return try Answer.json(InvitationAnswer(code: code, expiresAt: expiresAt), status: .created)
        }
        group.post("list-joins") { request, context in
            let member = try context.requireMember().member
            let body = try await StrictJSON.decode(JoinBody.self, from: request)
            guard body.code.utf8.count <= 64 else { throw Problem(ProblemKind.notFound) }
            let (hash, now) = (Self.hash(body.code), self.clock.now)
            let joined = try await self.database.transaction { transaction in
                try await self.store.join(by: hash, member, at: now, in: transaction)
            }
            guard let joined, let list = try await self.store.find(joined, of: member, in: self.database) else {
                throw Problem(ProblemKind.notFound)
            }
            return try Answer.json(ListBody(list))
        }
    }

    private func list(_ context: ClubRequestContext) async throws -> (list: ListStore.List, member: Member.ID) {
        let member = try context.requireMember().member
        let id = try context.id("list", of: ShoppingList.self)
        guard let list = try await self.store.find(id, of: member, in: self.database) else {
            throw Problem(ProblemKind.notFound)
        }
        return (list, member)
    }

    private func merge(_ items: [ListStore.Item], into list: ListStore.List, by member: Member.ID) async throws {
        guard !items.isEmpty else { return }
        try await self.database.transaction { transaction in
            _ = try await self.store.merge(items, into: list.id, in: transaction)
            guard try await self.store.itemCount(of: list.id, in: transaction) <= ListStore.itemsMax else {
                throw Problem(ProblemKind.listFull)
            }
        }
    }

    private func state(of list: ListStore.List, since version: Int64) async throws -> ListAnswer {
        let items = try await self.store.items(of: list.id, since: version, in: self.database)
        let wanted = items.filter { !$0.isDeleted && !$0.isDone }
        let words = wanted.filter { $0.sku == nil }.map(\.text.firstWord).filter { $0.count >= 3 }
        let today = LocalTime(self.clock.now, offsetMinutes: LocalTime.moscowMinutes).date
        let offers =
            wanted.isEmpty
            ? []
            : try await self.offers.valid(
                on: today, for: wanted.compactMap(\.sku), orTitled: words, in: self.database)
        return ListAnswer(
            list: ListBody(list),
            items: items.map { item in
                let matching = item.isDeleted || item.isDone ? [] : offers.filter { item.matches($0) }
                return ListAnswer.Item(
                    item, offers: matching.prefix(5).map { OfferBody($0, offsetMinutes: LocalTime.moscowMinutes) })
            })
    }

    private static func hash(_ code: String) -> [UInt8] { Array(SHA256.hash(data: Data(code.utf8))) }
}

extension ListStore.Item {
    fileprivate func matches(_ offer: Offer) -> Bool {
        if let sku = self.sku { return sku == offer.sku }
        let word = self.text.firstWord
        return word.count >= 3 && offer.product.lowercased().contains(word)
    }
}

extension String {
    fileprivate var firstWord: String { String(self.lowercased().prefix { $0 != " " }) }

    /// 1 to `max` characters without control characters.
    func isLine(max: Int) -> Bool {
        1...max ~= self.unicodeScalars.count && self.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

struct ListTitleBody: Decodable, Sendable {
    let title: String
}

struct JoinBody: Decodable, Sendable {
    let code: String
}

/// What a device did since the version that it knows.
struct ChangesBody: Decodable, Sendable {
    let since: Int64
    let items: [Item]

    struct Item: Decodable, Sendable {
        let item: ListItem.ID
        let text: String
        let sku: String?
        let isDone: Bool
        let isDeleted: Bool
        /// By the device's clock.
        let changedAt: Timestamp
    }

    func parsed(most: Int, at now: Timestamp) throws(Problem) -> [ListStore.Item] {
        guard self.since >= 0 else { throw Problem(.invalidValue, at: "/since", detail: "a version") }
        guard self.items.count <= most else {
            throw Problem(.invalidValue, at: "/items", detail: "at most \(most) changes")
        }
        var latest: [ListItem.ID: ListStore.Item] = [:]
        for (index, item) in self.items.enumerated() {
            guard item.text.isLine(max: 200), item.sku?.isLine(max: 64) ?? true,
                item.changedAt >= ReceiptLimits.earliest
            else {
                throw Problem(
                    .invalidValue, at: "/items/\(index)", detail: "a text of 1 to 200 characters, changed since 2000")
            }
            let change = ListStore.Item(
                id: item.item, text: item.text, sku: item.sku, isDone: item.isDone, isDeleted: item.isDeleted,
                // A device whose clock is ahead must not win for ever.
                changedAt: min(item.changedAt, now))
            if let other = latest[item.item], other.changedAt >= change.changedAt { continue }
            latest[item.item] = change
        }
        return latest.values.sorted { $0.id < $1.id }
    }
}

struct ListBody: Encodable, Sendable {
    let id: ShoppingList.ID
    let title: String
    let version: Int64
    let isOwner: Bool

    init(_ list: ListStore.List) {
        (self.id, self.title, self.version, self.isOwner) = (list.id, list.title, list.version, list.isOwner)
    }
}

struct ListAnswer: Encodable, Sendable {
    let list: ListBody
    let items: [Item]

    struct Item: Encodable, Sendable {
        let item: ListItem.ID
        let text: String
        let sku: String?
        let isDone: Bool
        let isDeleted: Bool
        let changedAt: Timestamp
        let offers: [OfferBody]

        init(_ item: ListStore.Item, offers: [OfferBody]) {
            (self.item, self.text, self.sku, self.isDone) = (item.id, item.text, item.sku, item.isDone)
            (self.isDeleted, self.changedAt, self.offers) = (item.isDeleted, item.changedAt, offers)
        }
    }
}

struct InvitationAnswer: Encodable, Sendable {
    let code: String
    let expiresAt: Timestamp
}
