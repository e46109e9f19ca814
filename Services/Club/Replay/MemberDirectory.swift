import Contracts
import JobQueue
import Kernel

/// The members that the club's commands register: asked of auth over the bus, as any service would.
struct MemberDirectory: Sendable {
    let bus: Bus
    let retries: Retries

    /// People in one call; auth makes a member, a card and a key for each.
    private static let chunk = 200
    /// References in one answer.
    private static let page = 1000

    /// Everybody whose reference begins so, in the order of the references.
    func list(prefix: String) async throws -> [EnrolledMember] {
        var members: [EnrolledMember] = []
        while true {
            let call = ListReferences(prefix: prefix, after: members.last?.reference, limit: Self.page)
            let page = try await self.retries.run("auth does not list members") {
                try await self.bus.call(call, deadline: .seconds(10)).members
            }
            members += page
            if page.count < Self.page { return members }
        }
    }

    /// Registers people by their references; whoever is known already stays as they are.
    func enrol(_ people: [EnrolMembers.Person]) async throws -> [EnrolledMember] {
        var members: [EnrolledMember] = []
        let bar = ProgressBar("Members", total: people.count)
        defer { bar.finish() }
        for start in stride(from: 0, to: people.count, by: Self.chunk) {
            let chunk = Array(people[start..<min(start + Self.chunk, people.count)])
            members += try await self.retries.run("auth does not register members") {
                try await self.bus.call(EnrolMembers(members: chunk), deadline: .seconds(30)).members
            }
            bar.advance(by: chunk.count)
        }
        return members
    }

    /// The cards of households; those that are no members yet are registered.
    func enrolMissing(_ households: [Household]) async throws -> (cards: [Int64: CardNumber], new: Int) {
        var cards: [Int64: CardNumber] = [:]
        for member in try await self.list(prefix: Household.referencePrefix) {
            if let household = Household(reference: member.reference) { cards[household.number] = member.card }
        }
        let missing = households.filter { cards[$0.number] == nil }
        let people = try missing.map { household in
            guard let name = household.fullName, let phone = household.phone else {
                throw CommandFailure(
                    .dataError, "Household \(household.number) is beyond the numbers that have a phone.")
            }
            return EnrolMembers.Person(reference: household.reference, fullName: name, phone: phone)
        }
        for member in try await self.enrol(people) {
            if let household = Household(reference: member.reference) { cards[household.number] = member.card }
        }
        return (cards, missing.count)
    }
}
