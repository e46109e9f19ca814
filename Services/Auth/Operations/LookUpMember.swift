import Kernel
import Postgres

/// Shows a colleague who a member is, masked, and writes down who looked and why, in the same transaction: what cannot be
/// written down is not shown.
struct LookUpMember: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let metrics: StaffMetrics

    /// What the colleague has of the member.
    enum Key: Sendable {
        case phone(PhoneNumber)
        case card(CardNumber)
        case member(Member.ID)
    }

    /// Enough to know on the telephone whom one speaks with.
    struct Seen: Sendable {
        let member: Member.ID
        let state: String
        /// First name and the first letter of the last; nil when the data is destroyed.
        let name: String?
        /// `+7 *** ***-**-67`.
        let phone: String?
        /// The last four digits.
        let card: String?
        let registeredAt: Timestamp
    }

    /// - Returns: nil when there is no such member.
    func callAsFunction(_ key: Key, by staff: Staff.ID, reason: String) async throws -> Seen? {
        let now = self.clock.now
        return try await self.database.transaction { transaction in
            let store = StaffMemberStore()
            let found: StaffMemberStore.Found?
            switch key {
            case .phone(let phone):
                found = try await store.find(phoneIndex: self.vault.index(phone), in: transaction)
            case .card(let card): found = try await store.find(card: card, in: transaction)
            case .member(let member): found = try await store.find(member, in: transaction)
            }
            guard let found else { return nil }
            try await AccessLogStore().append(
                "member-look-up", of: found.member, by: staff, reason: reason, at: now, in: transaction)
            let metrics = self.metrics
            transaction.afterCommit { metrics.personalDataViewed() }
            return try self.masked(found)
        }
    }

    private func masked(_ found: StaffMemberStore.Found) throws -> Seen {
        guard let wrapped = found.wrappedKey else {
            return Seen(
                member: found.member, state: found.state, name: nil, phone: nil, card: nil,
                registeredAt: found.registeredAt)
        }
        let key = try self.vault.unwrap(wrapped, of: found.member)
        let name = try key.openName(found.sealedName)
        let phone = try found.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)).description }
        return Seen(
            member: found.member, state: found.state, name: "\(name.first) \(name.last.prefix(1)).", phone: phone,
            card: found.card.map { String($0.digits.suffix(4)) }, registeredAt: found.registeredAt)
    }
}
