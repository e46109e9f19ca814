import Kernel
import Postgres
import Web

/// The accounts of colleagues, and what happened to them.
struct StaffStore: Sendable {
    struct NewAccount: Sendable {
        let id: Staff.ID
        let login: StaffLogin
        let name: String
        let password: PasswordHash
        let sealedTimeSecret: [UInt8]
    }

    /// - Returns: false when the login is taken.
    func insert(_ new: NewAccount, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.staff (staff_id, login, name, state, password, time_secret, added_at, changed_at)
            values (
                \(new.id), \(new.login.text), \(new.name), 'active', \(new.password.text), \(new.sealedTimeSecret),
                \(now), \(now)
            )
            on conflict (login) do nothing
            """) == 1
    }

    /// What a login is checked against.
    struct Credentials: Sendable {
        let id: Staff.ID
        let password: PasswordHash?
        let sealedTimeSecret: [UInt8]
        /// Whether this attempt was the last before the lock.
        let isLockedNow: Bool
    }

    /// Counts an attempt, in one statement that commits by itself; the account is locked with the attempt that uses up
    /// the last of them, and that attempt is still compared.
    /// - Returns: nil when there is no such account, or it is disabled or locked.
    func chargeAttempt(
        _ login: StaffLogin, rules: StaffRules, at now: Timestamp, on database: Database
    ) async throws -> Credentials? {
        try await database.first(
            """
            update auth.staff
            set failures = case when locked_until is null then failures + 1 else 1 end,
                locked_until = case
                    when case when locked_until is null then failures + 1 else 1 end >= \(rules.attempts)
                        then \(now + rules.lock)
                end
            where login = \(login.text) and state = 'active' and coalesce(locked_until <= \(now), true)
            returning staff_id, password, time_secret, locked_until is not null
            """
        ).map(Self.credentials)
    }

    /// The same of a session's own account, for confirming with both factors once more.
    func chargeAttempt(
        _ id: Staff.ID, rules: StaffRules, at now: Timestamp, on database: Database
    ) async throws -> Credentials? {
        let login = try await database.first("select login from auth.staff where staff_id = \(id)")
        guard let login = try login.flatMap({ StaffLogin(try $0.decode(String.self)) }) else { return nil }
        return try await self.chargeAttempt(login, rules: rules, at: now, on: database)
    }

    private static func credentials(_ row: Row) throws -> Credentials {
        let (id, password, secret, isLocked) = try row.decode(Staff.ID.self, String.self, [UInt8].self, Bool.self)
        return Credentials(
            id: id, password: PasswordHash(password), sealedTimeSecret: secret, isLockedNow: isLocked)
    }

    /// Takes a time code's step, once: of two requests with the same code one gets false. Forgives the failures.
    func take(
        step: Int64, of id: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.staff
            set time_step = \(step), failures = 0, locked_until = null
            where staff_id = \(id) and state = 'active' and time_step < \(step)
            """) == 1
    }

    func set(
        password: PasswordHash, of id: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.staff
            set password = \(password.text), changed_at = \(now)
            where staff_id = \(id)
            """)
    }

    /// Another secret; codes of the old one are good for nothing from then on.
    func set(
        sealedTimeSecret: [UInt8], of id: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.staff
            set time_secret = \(sealedTimeSecret), failures = 0, locked_until = null, changed_at = \(now)
            where staff_id = \(id)
            """)
    }

    /// - Returns: false when it was disabled before.
    func disable(_ id: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.staff
            set state = 'disabled', changed_at = \(now)
            where staff_id = \(id) and state = 'active'
            """) == 1
    }

    func find(_ login: StaffLogin, in transaction: borrowing Transaction) async throws -> Staff.ID? {
        try await transaction.first("select staff_id from auth.staff where login = \(login.text)")?
            .decode(Staff.ID.self)
    }

    /// Everybody, by login.
    func all(on database: Database) async throws -> [StaffMember] {
        try await database.query(
            """
            select
                s.staff_id, s.login, s.name, s.state = 'active',
                array(select role from auth.staff_role r where r.staff_id = s.staff_id order by role),
                array(
                    select role
                    from auth.staff_role_change c
                    where c.staff_id = s.staff_id and c.approved is null
                    order by role
                ),
                s.added_at
            from auth.staff s
            order by s.login
            """
        ).map { row in
            let (id, login, name, isActive, roles, proposed, addedAt) = try row.decode(
                Staff.ID.self, String.self, String.self, Bool.self, [String].self, [String].self, Timestamp.self)
            return StaffMember(
                id: id, login: login, name: name, isActive: isActive,
                roles: roles.compactMap { StaffRole(rawValue: $0) },
                proposed: proposed.compactMap { StaffRole(rawValue: $0) }, addedAt: addedAt)
        }
    }

    /// What can happen to an account.
    enum Happening: String, Sendable {
        case added
        case roleProposed = "role-proposed"
        case roleGiven = "role-given"
        case roleRefused = "role-refused"
        case roleTaken = "role-taken"
        case disabled
        case timeCodeReset = "time-code-reset"
        case passwordChanged = "password-changed"
        case loggedIn = "logged-in"
        case locked
        case tokenReused = "token-reused"
    }

    /// Notes what happened.
    /// - Parameter actor: nil for the operator at the machine.
    func note<Runner: QueryRunner & ~Copyable>(
        _ happening: Happening, to id: Staff.ID, role: StaffRole? = nil, by actor: Staff.ID?, at now: Timestamp,
        on runner: borrowing Runner
    ) async throws {
        try await runner.execute(
            """
            insert into auth.staff_event (at, actor, staff_id, what, role)
            values (\(now), \(actor), \(id), \(happening.rawValue), \(role?.rawValue))
            """)
    }
}
