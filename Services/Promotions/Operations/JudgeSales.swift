import JobQueue
import Kernel
import Logging
import Postgres

/// Judges sales by the ruleset in force: whether they are let in, whose they are, and what they bring. Writes nothing
/// but cards that the projection had not heard of.
struct JudgeSales: Sendable {
    struct Judgement: Sendable {
        let member: Member.ID
        let evaluation: Evaluation
        /// What the evaluation went by.
        let facts: MemberFacts
        let ruleset: Ruleset.Version
    }

    private let database: Database
    private let findMembers: FindMembers
    private let rulesets: Rulesets
    private let cards = CardStore()
    private let gatherFacts = GatherFacts()

    init(database: Database, findMembers: FindMembers, rulesets: Rulesets) {
        (self.database, self.findMembers, self.rulesets) = (database, findMembers, rulesets)
    }

    /// One judgement for each sale, in their order.
    func callAsFunction(
        _ sales: [(sale: Sale, till: Till)], at now: Timestamp
    ) async throws -> [Result<Judgement, ReceiptRefusal>] {
        let presentations = try await self.cards.present(sales.map(\.sale), in: self.database)
        guard let number = presentations.first?.ruleset else { throw NoRulesetInForce() }
        let ruleset = try await self.rulesets.version(number)
        let latecomers = await self.findLatecomers(sales, presentations, at: now)
        let holders = zip(sales, presentations).map { presented, presentation -> Result<Member.ID, ReceiptRefusal> in
            do throws(ReceiptRefusal) {
                try Self.admit(presented.sale, presentation, from: presented.till, at: now)
            } catch {
                return .failure(error)
            }
            if presentation.isBlocked { return .failure(.unknownCard) }
            return presentation.member.map(Result.success) ?? latecomers[presented.sale.card] ?? .failure(.unknownCard)
        }
        let subjects = zip(sales, holders).compactMap { presented, holder in
            (try? holder.get()).map { FactStore.Subject(member: $0, sale: presented.sale) }
        }
        var facts = try await self.gatherFacts(subjects, for: ruleset.ruleset, at: now, in: self.database)
            .makeIterator()
        return try zip(sales, holders).map { presented, holder in
            switch holder {
            case .failure(let refusal): return .failure(refusal)
            case .success(let member):
                let facts = facts.next() ?? MemberFacts(member: member)
                let evaluation = try ruleset.evaluate(presented.sale, for: facts, at: now)
                return .success(
                    Judgement(member: member, evaluation: evaluation, facts: facts, ruleset: ruleset))
            }
        }
    }

    private static func admit(
        _ sale: Sale, _ presentation: CardStore.Presentation, from till: Till, at now: Timestamp
    ) throws(ReceiptRefusal) {
        guard till.speaks(for: sale.store) else { throw .foreignStore }
        try sale.checkAge(at: now, historical: till.mayImport)
        guard presentation.isStoreKnown else { throw .unknownStore }
    }

    /// The holders of the cards that the projection has not heard of, among the sales that could be let in.
    private func findLatecomers(
        _ sales: [(sale: Sale, till: Till)], _ presentations: [CardStore.Presentation], at now: Timestamp
    ) async -> [CardNumber: Result<Member.ID, ReceiptRefusal>] {
        var cards: Set<CardNumber> = []
        for (presented, presentation) in zip(sales, presentations) where presentation.member == nil {
            let isAdmitted = (try? Self.admit(presented.sale, presentation, from: presented.till, at: now)) != nil
            if isAdmitted { cards.insert(presented.sale.card) }
        }
        guard !cards.isEmpty else { return [:] }
        do {
            return try await self.findMembers(cards).mapValues { .success($0) }
        } catch {
            // Without auth it cannot be said whether the card is anybody's: the till is asked to come again.
            Logger.current.info("Cards could not be resolved", metadata: ["promotions.cards": "\(cards.count)"])
            return Dictionary(uniqueKeysWithValues: cards.map { ($0, .failure(.undecided)) })
        }
    }
}
