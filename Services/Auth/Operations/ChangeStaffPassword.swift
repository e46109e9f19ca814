import Kernel
import Postgres

/// Gives a colleague another password, after both factors were shown once more. All sessions end.
struct ChangeStaffPassword: Sendable {
    let database: Database
    let clock: any WallClock
    let check: CheckColleague
    let office: PasswordOffice
    let end: EndStaffSessions

    /// - Throws: ``StaffRefusal``.
    func callAsFunction(_ id: Staff.ID, current: Secret, code: String, new: String) async throws {
        guard StaffRules.accepts(password: new) else { throw StaffRefusal.password }
        guard let checked = try await self.check(id, password: current, code: code) else {
            throw StaffRefusal.credentials
        }
        let hash = try await self.office.hash(Secret(new))
        let now = self.clock.now
        try await self.database.transaction { transaction in
            let store = StaffStore()
            guard try await store.take(step: checked.step, of: id, at: now, in: transaction) else {
                throw StaffRefusal.credentials
            }
            try await store.set(password: hash, of: id, at: now, in: transaction)
            try await store.note(.passwordChanged, to: id, by: id, at: now, on: transaction)
            try await self.end(of: id, in: transaction)
        }
    }
}
