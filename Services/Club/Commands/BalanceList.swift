import Contracts
import Kernel
import Ledger

/// Balances under the names that an operator asks for.
struct BalanceList: Sendable {
    typealias Line = LedgerCommand.Balances.Line

    let session: OperatorSession

    func lines(by key: LedgerCommand.Balances.Key) async throws -> [Line] {
        let available = try await self.available()
        switch key {
        case .member:
            return available.sorted { $0.key < $1.key }.map { Line(id: $0.key.description, available: $0.value) }
        case .card:
            return try await CardStore().cards(on: self.session.database)
                .map { Line(id: $0.card.digits, available: available[$0.member] ?? .zero) }
        case .household:
            let members = try await BusSession.run(self.session) { bus in
                try await MemberDirectory(bus: bus, retries: Retries()).list(prefix: Household.referencePrefix)
            }
            return members.compactMap { member in
                Household(reference: member.reference).map { ($0.number, available[member.member] ?? .zero) }
            }
            .sorted { $0.0 < $1.0 }
            .map { Line(id: "\($0.0)", available: $0.1) }
        }
    }

    private func available() async throws -> [Member.ID: Points] {
        let list = ListBalances(database: self.session.database, clock: SystemClock())
        var available: [Member.ID: Points] = [:]
        var last: Member.ID?
        while true {
            let page = try await list(after: last)
            for balance in page { available[balance.member] = balance.available }
            guard page.count == ListBalances.pageSize else { return available }
            last = page.last?.member
        }
    }
}
