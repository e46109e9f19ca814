public import Kernel
public import Postgres

/// Compares a colleague's password and time code, after the attempt has been counted and committed.
public struct CheckColleague: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let vault: Vault
    private let office: PasswordOffice
    private let rules: StaffRules
    private let store = StaffStore()

    init(database: Database, clock: any WallClock, vault: Vault, office: PasswordOffice, rules: StaffRules) {
        (self.database, self.clock, self.vault) = (database, clock, vault)
        (self.office, self.rules) = (office, rules)
    }

    /// For the operator's command.
    /// - Parameters:
    ///   - database: reached as auth's role or as the owner.
    ///   - masterKey: auth's, and so is `lookupKey`.
    /// - Throws: ``StaffAccounts/SecretsTooShort``.
    public init(
        database: Database, clock: any WallClock, random: RandomBytes, masterKey: Secret, lookupKey: Secret
    ) throws {
        guard let vault = Vault(master: masterKey, lookup: lookupKey) else { throw StaffAccounts.SecretsTooShort() }
        self.init(
            database: database, clock: clock, vault: vault,
            office: PasswordOffice(cost: PasswordHash.Cost(), random: random), rules: StaffRules())
    }

    /// Whoever passed both factors.
    struct Checked: Sendable {
        let staff: Staff.ID
        /// The step of the code, which the transaction of what it allows takes (``StaffStore/take(step:of:at:in:)``).
        let step: Int64
    }

    /// Both factors. An unknown login takes as long as a known one.
    /// - Returns: nil for whatever there is to refuse; which it was stays here.
    func callAsFunction(_ login: StaffLogin, password: Secret, code: String) async throws -> Checked? {
        let found = try await self.store.chargeAttempt(
            login, rules: self.rules, at: self.clock.now, on: self.database)
        return try await self.check(found, password: password, code: code)
    }

    /// Both factors once more, of a colleague who is logged in.
    func callAsFunction(_ id: Staff.ID, password: Secret, code: String) async throws -> Checked? {
        let found = try await self.store.chargeAttempt(id, rules: self.rules, at: self.clock.now, on: self.database)
        return try await self.check(found, password: password, code: code)
    }

    /// A time code alone, of a colleague who stands beside the operator at the machine: the second person of a decision
    /// made there. The code is used up.
    /// - Throws: ``StaffRefusal/credentials``.
    public func second(_ login: StaffLogin, code: String) async throws -> Staff.ID {
        let now = self.clock.now
        let found = try await self.store.chargeAttempt(login, rules: self.rules, at: now, on: self.database)
        guard let found, let step = try self.step(of: code, for: found),
            try await self.database.transaction({ transaction in
                try await self.store.take(step: step, of: found.id, at: now, in: transaction)
            })
        else { throw StaffRefusal.credentials }
        return found.id
    }

    private func check(
        _ found: StaffStore.Credentials?, password: Secret, code: String
    ) async throws -> Checked? {
        let isPassword = try await self.office.check(password, against: found?.password)
        guard let found else { return nil }
        if isPassword, let step = try self.step(of: code, for: found) {
            return Checked(staff: found.id, step: step)
        }
        if found.isLockedNow {
            try await self.store.note(.locked, to: found.id, by: nil, at: self.clock.now, on: self.database)
        }
        return nil
    }

    private func step(of code: String, for found: StaffStore.Credentials) throws -> Int64? {
        let secret = TimeCodeSecret(
            bytes: try self.vault.open(found.sealedTimeSecret, at: StaffAccounts.place(of: found.id)))
        return secret.step(of: code, at: self.clock.now)
    }
}
