import Contracts
import FoundationEssentials
public import JobQueue
public import Kernel
public import Postgres
public import Web

/// A colleague, as lists show one.
public struct StaffMember: Sendable {
    /// Identifies the colleague everywhere.
    public let id: Staff.ID
    /// What they log in as.
    public let login: String
    /// What people call them.
    public let name: String
    /// False when the account is disabled.
    public let isActive: Bool
    /// The roles in force.
    public let roles: [StaffRole]
    /// Roles that wait for a second person.
    public let proposed: [StaffRole]
    /// When the account was made.
    public let addedAt: Timestamp
}

/// Why something about colleagues is refused.
public enum StaffRefusal: Error, Hashable, Sendable {
    /// Somebody has that login.
    case loginTaken
    /// There is no such colleague, or no such proposal that waits.
    case unknown
    /// The name is empty or longer than 120 characters.
    case name
    /// The role is there, or proposed already.
    case roleThere
    /// Whoever proposed it, or would have the role, cannot be the second person.
    case samePerson
    /// Login, password or time code is wrong, the code was used, or the account is locked or disabled: not told apart.
    case credentials
    /// Only a colleague with the role `sysadmin` decides about roles.
    case notAllowed
    /// The new password is shorter than 12 characters or longer than 128.
    case password
}

/// Makes, lists and disables the accounts of colleagues. What the operator at the machine does has no actor.
public struct StaffAccounts: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let ids: IDGenerator
    private let random: RandomBytes
    private let vault: Vault
    private let office: PasswordOffice
    let sessions: EndStaffSessions
    private let store = StaffStore()

    /// For the operator's command.
    /// - Parameters:
    ///   - database: reached as auth's role or as the owner.
    ///   - bus: tells everybody of sessions that end.
    ///   - masterKey: auth's, since it seals the secrets of time codes.
    ///   - lookupKey: auth's other secret.
    /// - Throws: ``SecretsTooShort``.
    public init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, random: RandomBytes, masterKey: Secret,
        lookupKey: Secret
    ) throws {
        guard let vault = Vault(master: masterKey, lookup: lookupKey) else { throw SecretsTooShort() }
        self.init(
            database: database, clock: clock, ids: ids, random: random, vault: vault,
            office: PasswordOffice(cost: PasswordHash.Cost(), random: random),
            sessions: EndStaffSessions(bus: bus, clock: clock, tokenLifetime: TokenRules().keyRetention))
    }

    init(
        database: Database, clock: any WallClock, ids: IDGenerator, random: RandomBytes, vault: Vault,
        office: PasswordOffice, sessions: EndStaffSessions
    ) {
        (self.database, self.clock, self.ids, self.random) = (database, clock, ids, random)
        (self.vault, self.office, self.sessions) = (vault, office, sessions)
    }

    /// One of the secrets is shorter than 32 bytes.
    public struct SecretsTooShort: Error {}

    /// What a new colleague is handed, once.
    public struct Issued: Sendable {
        /// Identifies the colleague.
        public let id: Staff.ID
        /// The first password; the colleague changes it.
        public let password: Secret
        /// What the authenticator reads: `otpauth://totp/…`.
        public let authenticator: Secret
    }

    /// Makes an account without roles.
    /// - Throws: ``StaffRefusal``.
    public func add(_ login: StaffLogin, name: String) async throws -> Issued {
        guard 1...120 ~= name.unicodeScalars.count, !name.utf8.contains(0) else { throw StaffRefusal.name }
        let id: Staff.ID = self.ids.next()
        let secret = TimeCodeSecret(self.random)
        let password = Secret(Base32.encode(self.random.next(15)).lowercased())
        let account = StaffStore.NewAccount(
            id: id, login: login, name: name, password: try await self.office.hash(password),
            sealedTimeSecret: try self.vault.seal(secret.reveal(), at: Self.place(of: id)))
        let now = self.clock.now
        try await self.database.transaction { transaction in
            guard try await self.store.insert(account, at: now, in: transaction) else { throw StaffRefusal.loginTaken }
            try await self.store.note(.added, to: id, by: nil, at: now, on: transaction)
        }
        return Issued(id: id, password: password, authenticator: Secret(secret.address(of: login)))
    }

    /// Everybody, by login.
    public func list() async throws -> [StaffMember] {
        try await self.store.all(on: self.database)
    }

    /// Ends an account's use at once, with all its sessions.
    /// - Throws: ``StaffRefusal/unknown``.
    public func disable(_ login: StaffLogin) async throws {
        let now = self.clock.now
        try await self.database.transaction { transaction in
            guard let id = try await self.store.find(login, in: transaction),
                try await self.store.disable(id, at: now, in: transaction)
            else { throw StaffRefusal.unknown }
            try await self.store.note(.disabled, to: id, by: nil, at: now, on: transaction)
            try await self.sessions(of: id, in: transaction)
        }
    }

    /// Gives an authenticator that was lost a successor, and ends all sessions.
    /// - Returns: what the new authenticator reads.
    /// - Throws: ``StaffRefusal/unknown``.
    public func resetTimeCode(_ login: StaffLogin) async throws -> Secret {
        let secret = TimeCodeSecret(self.random)
        let now = self.clock.now
        try await self.database.transaction { transaction in
            guard let id = try await self.store.find(login, in: transaction) else { throw StaffRefusal.unknown }
            let sealed = try self.vault.seal(secret.reveal(), at: Self.place(of: id))
            try await self.store.set(sealedTimeSecret: sealed, of: id, at: now, in: transaction)
            try await self.store.note(.timeCodeReset, to: id, by: nil, at: now, on: transaction)
            try await self.sessions(of: id, in: transaction)
        }
        return Secret(secret.address(of: login))
    }

    /// What a sealed secret of time codes is bound to.
    static func place(of id: Staff.ID) -> String { "staff.time_secret/\(id)" }
}

/// Ends all sessions of a colleague and tells everybody who verifies tokens.
struct EndStaffSessions: Sendable {
    let bus: Bus
    let clock: any WallClock
    /// How long after a session has ended its tokens would still be taken.
    let tokenLifetime: Duration

    func callAsFunction(of id: Staff.ID, in transaction: borrowing Transaction) async throws {
        let now = self.clock.now
        let ended = try await StaffSessionStore().revokeAll(of: id, at: now, in: transaction)
        try await self.bus.publish(contentsOf: ended.map(self.news), in: transaction)
    }

    /// Ends one session; ending it twice is no error.
    func callAsFunction(_ session: Session.ID, in transaction: borrowing Transaction) async throws {
        guard try await StaffSessionStore().revoke(session, at: self.clock.now, in: transaction) else { return }
        try await self.bus.publish(self.news(of: session), in: transaction)
    }

    private func news(of session: Session.ID) -> SessionEnded {
        SessionEnded(session: session, forgetAt: self.clock.now + self.tokenLifetime)
    }
}
