public import FoundationEssentials
public import Kernel
public import Postgres
public import Web

/// A role that somebody shall have and that waits for a second person.
public struct RoleChange: Sendable {
    /// Identifies the proposal.
    public let id: UUID
    /// Who shall have the role.
    public let staff: Staff.ID
    /// Their login.
    public let login: String
    /// Which role.
    public let role: StaffRole
    /// Who proposed it; nil for the operator at the machine.
    public let maker: Staff.ID?
    /// When.
    public let madeAt: Timestamp
}

/// Gives and takes roles. Giving needs two people; taking is done by one, since it only makes things safer.
public struct StaffRoles: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let ids: IDGenerator
    private let store = StaffRoleStore()
    private let accounts = StaffStore()

    /// - Parameter database: reached as auth's role or as the owner.
    public init(database: Database, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.clock, self.ids) = (database, clock, ids)
    }

    /// What became of a proposal.
    public enum Proposed: Hashable, Sendable {
        /// It waits for a second person.
        case waiting(UUID)
        /// It was one of the two founders' and is in force.
        case inForce
    }

    /// The operator at the machine proposes a role. The first two sysadmins are founders: there is nobody to ask yet.
    /// - Throws: ``StaffRefusal``.
    public func propose(_ role: StaffRole, for login: StaffLogin) async throws -> Proposed {
        let now = self.clock.now
        let change = self.ids.uuid()
        return try await self.database.transaction { transaction in
            guard let id = try await self.accounts.find(login, in: transaction) else { throw StaffRefusal.unknown }
            let hasRole = try await self.store.roles(of: id, on: transaction).contains(role)
            if role == .sysadmin, !hasRole, let place = try await self.store.founderPlace(in: transaction) {
                try await self.store.insertFounder(change, id, place: place, at: now, in: transaction)
                try await self.accounts.note(.roleGiven, to: id, role: role, by: nil, at: now, on: transaction)
                return .inForce
            }
            try await self.write(change, role, for: id, by: nil, at: now, in: transaction)
            return .waiting(change)
        }
    }

    /// A colleague proposes a role for another.
    /// - Throws: ``StaffRefusal``.
    func propose(_ role: StaffRole, for id: Staff.ID, by maker: Staff.ID) async throws -> UUID {
        guard id != maker else { throw StaffRefusal.samePerson }
        let now = self.clock.now
        let change = self.ids.uuid()
        do {
            try await self.database.transaction { transaction in
                try await self.write(change, role, for: id, by: maker, at: now, in: transaction)
            }
        } catch let error as DatabaseError where error.code == .foreignKeyViolation {
            throw StaffRefusal.unknown
        }
        return change
    }

    private func write(
        _ change: UUID, _ role: StaffRole, for id: Staff.ID, by maker: Staff.ID?, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        guard try await self.store.propose(change, role, for: id, by: maker, at: now, in: transaction) else {
            throw StaffRefusal.roleThere
        }
        try await self.accounts.note(.roleProposed, to: id, role: role, by: maker, at: now, on: transaction)
    }

    /// The proposals that wait, the oldest first.
    public func waiting() async throws -> [RoleChange] {
        try await self.store.waiting(on: self.database)
    }

    /// The second person's word. That it is another person than the first is a check of the table; here it is asked
    /// beforehand, for the answer's sake.
    /// - Throws: ``StaffRefusal``.
    public func decide(_ change: UUID, approves: Bool, by checker: Staff.ID) async throws {
        let now = self.clock.now
        try await self.database.transaction { transaction in
            guard try await self.store.roles(of: checker, on: transaction).contains(.sysadmin) else {
                throw StaffRefusal.notAllowed
            }
            guard let proposal = try await self.store.lock(change, in: transaction) else { throw StaffRefusal.unknown }
            guard proposal.maker != checker, proposal.staff != checker else { throw StaffRefusal.samePerson }
            try await self.store.decide(change, approved: approves, by: checker, at: now, in: transaction)
            if approves {
                try await self.store.give(proposal.role, to: proposal.staff, by: change, at: now, in: transaction)
            }
            try await self.accounts.note(
                approves ? .roleGiven : .roleRefused, to: proposal.staff, role: proposal.role, by: checker, at: now,
                on: transaction)
        }
    }

    /// Takes a role away. Tokens that name it run out within ten minutes.
    /// - Parameter actor: nil for the operator at the machine.
    /// - Throws: ``StaffRefusal/unknown``.
    public func take(_ role: StaffRole, from login: StaffLogin, by actor: Staff.ID? = nil) async throws {
        let now = self.clock.now
        try await self.database.transaction { transaction in
            guard let id = try await self.accounts.find(login, in: transaction),
                try await self.store.take(role, from: id, in: transaction)
            else { throw StaffRefusal.unknown }
            try await self.accounts.note(.roleTaken, to: id, role: role, by: actor, at: now, on: transaction)
        }
    }
}
