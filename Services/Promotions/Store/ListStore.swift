import Kernel
import Postgres

/// A shopping list that a family shares.
enum ShoppingList {
    typealias ID = Identifier<ShoppingList>
}

/// Something to buy.
enum ListItem {
    /// Made by the device, so that adding twice adds once.
    typealias ID = Identifier<ListItem>
}

/// Shopping lists. A list of somebody else is answered like one that does not exist.
struct ListStore: Sendable {
    struct List: Sendable {
        let id: ShoppingList.ID
        let title: String
        let version: Int64
        let isOwner: Bool
    }

    struct Item: Hashable, Sendable {
        let id: ListItem.ID
        let text: String
        let sku: String?
        let isDone: Bool
        let isDeleted: Bool
        let changedAt: Timestamp
        var version: Int64 = 0
    }

    static let itemsMax: Int64 = 500
    static let listsMax: Int64 = 50
    static let membersMax: Int64 = 20

    func lists(of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> [List] {
        try await runner.query(
            """
            select list_id, title, version, owner_id = \(member)
            from promotions.shopping_list_member
            join promotions.shopping_list using (list_id)
            where member_id = \(member)
            order by created_at, list_id
            """
        ).map { row in
            let (id, title, version, isOwner) = try row.decode(
                ShoppingList.ID.self, String.self, Int64.self, Bool.self)
            return List(id: id, title: title, version: version, isOwner: isOwner)
        }
    }

    func find(
        _ id: ShoppingList.ID, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> List? {
        let row = try await runner.first(
            """
            select title, version, owner_id = \(member)
            from promotions.shopping_list_member
            join promotions.shopping_list using (list_id)
            where list_id = \(id) and member_id = \(member)
            """)
        guard let row else { return nil }
        let (title, version, isOwner) = try row.decode(String.self, Int64.self, Bool.self)
        return List(id: id, title: title, version: version, isOwner: isOwner)
    }

    /// Makes a list or gives it another name. False for a list of somebody else, or one too many.
    func put(
        _ id: ShoppingList.ID, titled title: String, for member: Member.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        let renamed = try await transaction.execute(
            """
            update promotions.shopping_list as list
            set title = \(title), version = version + 1
            from promotions.shopping_list_member as mine
            where list.list_id = \(id) and mine.list_id = list.list_id and mine.member_id = \(member)
            """)
        if renamed == 1 { return true }
        try await FactStore().lock(member, in: transaction)
        let made = try await transaction.execute(
            """
            insert into promotions.shopping_list (list_id, owner_id, title, created_at)
            select \(id), \(member), \(title), \(now)
            where (select count(*) from promotions.shopping_list where owner_id = \(member)) < \(Self.listsMax)
            on conflict (list_id) do nothing
            """)
        guard made == 1 else { return false }
        try await transaction.execute(
            "insert into promotions.shopping_list_member (list_id, member_id) values (\(id), \(member))")
        return true
    }

    /// The owner deletes the list for everybody, somebody else leaves it. False when it is not the member's.
    func leave(_ list: List, _ member: Member.ID, in transaction: borrowing Transaction) async throws {
        if list.isOwner {
            try await transaction.execute("delete from promotions.shopping_list where list_id = \(list.id)")
        } else {
            try await transaction.execute(
                """
                delete from promotions.shopping_list_member
                where list_id = \(list.id) and member_id = \(member)
                """)
        }
    }

    func items(
        of list: ShoppingList.ID, since version: Int64, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Item] {
        try await runner.query(
            """
            select item_id, text, sku, is_done, is_deleted, changed_at, version
            from promotions.shopping_list_item
            where list_id = \(list) and version > \(version) and (\(version) > 0 or not is_deleted)
            order by item_id
            """
        ).map { row in
            let (id, text, sku, isDone, isDeleted, changedAt, version) = try row.decode(
                ListItem.ID.self, String.self, String?.self, Bool.self, Bool.self, Timestamp.self, Int64.self)
            return Item(
                id: id, text: text, sku: sku, isDone: isDone, isDeleted: isDeleted, changedAt: changedAt,
                version: version)
        }
    }

    /// Merges what a device did while it was offline. The list's row is taken first, so that merges follow each other;
    /// of two changes of one item the later one holds, whichever arrives first. Gives the number of changes that hold.
    func merge(
        _ items: [Item], into list: ShoppingList.ID, in transaction: borrowing Transaction
    ) async throws -> Int {
        let version = try await transaction.one(
            """
            update promotions.shopping_list
            set version = version + 1
            where list_id = \(list)
            returning version
            """
        ).decode(Int64.self)
        return try await transaction.execute(
            """
            insert into promotions.shopping_list_item as item (
                list_id, item_id, text, sku, is_done, is_deleted, changed_at, version
            )
            select \(list), *, \(version)
            from unnest(
                \(items.map(\.id)), \(items.map(\.text)), \(items.map(\.sku)), \(items.map(\.isDone)),
                \(items.map(\.isDeleted)), \(items.map(\.changedAt))
            )
            on conflict (list_id, item_id) do update
            set text = excluded.text, sku = excluded.sku, is_done = excluded.is_done,
                is_deleted = excluded.is_deleted, changed_at = excluded.changed_at, version = excluded.version
            where item.changed_at < excluded.changed_at
            """)
    }

    func itemCount(of list: ShoppingList.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Int64 {
        try await runner.one(
            "select count(*) from promotions.shopping_list_item where list_id = \(list)"
        ).decode(Int64.self)
    }

    func invite(
        to list: ShoppingList.ID, hash: [UInt8], until end: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        try await runner.execute(
            """
            insert into promotions.shopping_list_invitation (code_hash, list_id, expires_at)
            values (\(hash), \(list), \(end))
            """)
    }

    /// Lets a member in by a code, which is used up. nil for a code that is wrong, used or over, or a list that is full.
    func join(
        by hash: [UInt8], _ member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> ShoppingList.ID? {
        let row = try await transaction.first(
            """
            delete from promotions.shopping_list_invitation
            where code_hash = \(hash)
            returning list_id, expires_at > \(now)
            """)
        guard let row else { return nil }
        let (list, isGood) = try row.decode(ShoppingList.ID.self, Bool.self)
        guard isGood else { return nil }
        // The list's row makes joins follow each other, so that the count holds.
        let members = try await transaction.query(
            "select list_id from promotions.shopping_list where list_id = \(list) for update")
        guard !members.isEmpty else { return nil }
        try await transaction.execute(
            """
            insert into promotions.shopping_list_member (list_id, member_id)
            select \(list), \(member)
            where (select count(*) from promotions.shopping_list_member where list_id = \(list)) < \(Self.membersMax)
            on conflict do nothing
            """)
        return try await self.find(list, of: member, in: transaction)?.id
    }
}
