import FoundationEssentials
import Kernel
import Postgres
import Web

/// The roles of colleagues: proposed by one, decided by another.
struct StaffRoleStore: Sendable {
    func roles<Runner: QueryRunner & ~Copyable>(
        of id: Staff.ID, on runner: borrowing Runner
    ) async throws -> Set<StaffRole> {
        let rows = try await runner.query("select role from auth.staff_role where staff_id = \(id)")
        return Set(try rows.compactMap { StaffRole(rawValue: try $0.decode(String.self)) })
    }

    /// A free founder's place: 1 or 2; nil when both are taken. Those who ask at once follow each other.
    func founderPlace(in transaction: borrowing Transaction) async throws -> Int16? {
        try await transaction.execute("lock table auth.staff_role_change in share row exclusive mode")
        return try await transaction.first(
            """
            select place::smallint
            from generate_series(1, 2) place
            where not exists (select from auth.staff_role_change where founder = place)
            order by place
            limit 1
            """)?.decode(Int16.self)
    }

    /// Writes a founder's role, which needs no second person, into its place.
    func insertFounder(
        _ change: UUID, _ id: Staff.ID, place: Int16, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.staff_role_change (change_id, staff_id, role, made_at, decided_at, approved, founder)
            values (\(change), \(id), 'sysadmin', \(now), \(now), true, \(place))
            """)
        try await self.give(.sysadmin, to: id, by: change, at: now, in: transaction)
    }

    /// - Parameter maker: nil for the operator at the machine.
    /// - Returns: false when the same is proposed already or the role is there.
    func propose(
        _ change: UUID, _ role: StaffRole, for id: Staff.ID, by maker: Staff.ID?, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.staff_role_change (change_id, staff_id, role, maker, made_at)
            select \(change), \(id), \(role.rawValue), \(maker), \(now)
            where not exists (select from auth.staff_role where staff_id = \(id) and role = \(role.rawValue))
            on conflict (staff_id, role) where approved is null do nothing
            """) == 1
    }

    /// The proposals that wait, the oldest first.
    func waiting(on database: Database) async throws -> [RoleChange] {
        try await database.query(
            """
            select c.change_id, c.staff_id, s.login, c.role, c.maker, c.made_at
            from auth.staff_role_change c
            join auth.staff s using (staff_id)
            where c.approved is null
            order by c.made_at, c.change_id
            """
        ).compactMap { row in
            let (change, id, login, role, maker, madeAt) = try row.decode(
                UUID.self, Staff.ID.self, String.self, String.self, Staff.ID?.self, Timestamp.self)
            return StaffRole(rawValue: role).map {
                RoleChange(id: change, staff: id, login: login, role: $0, maker: maker, madeAt: madeAt)
            }
        }
    }

    /// A proposal under its row lock; nil when there is none that waits.
    func lock(
        _ change: UUID, in transaction: borrowing Transaction
    ) async throws -> (staff: Staff.ID, role: StaffRole, maker: Staff.ID?)? {
        let row = try await transaction.first(
            """
            select staff_id, role, maker
            from auth.staff_role_change
            where change_id = \(change) and approved is null
            for update
            """)
        guard let row else { return nil }
        let (staff, role, maker) = try row.decode(Staff.ID.self, String.self, Staff.ID?.self)
        return StaffRole(rawValue: role).map { (staff, $0, maker) }
    }

    /// Writes the decision down; that the checker is another person than the maker and than the one concerned is a check
    /// of the table.
    func decide(
        _ change: UUID, approved: Bool, by checker: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.staff_role_change
            set approved = \(approved), checker = \(checker), decided_at = \(now)
            where change_id = \(change)
            """)
    }

    func give(
        _ role: StaffRole, to id: Staff.ID, by change: UUID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.staff_role (staff_id, role, change_id, given_at)
            values (\(id), \(role.rawValue), \(change), \(now))
            """)
    }

    /// - Returns: false when the role was not there.
    func take(_ role: StaffRole, from id: Staff.ID, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            "delete from auth.staff_role where staff_id = \(id) and role = \(role.rawValue)") == 1
    }
}
