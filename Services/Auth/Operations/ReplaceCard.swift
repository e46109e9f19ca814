import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Gives a member a new virtual card; the cards before it are blocked, here and for whoever takes receipts.
struct ReplaceCard: Sendable {
    let confirm: ConfirmAction
    let issue: IssueCard
    let tell: TellMember
    let clock: any WallClock

    func ask(_ member: Member.ID) async throws -> Result<ConfirmAction.Asked, StepUpRefusal> {
        try await self.confirm.ask(.newCard, of: member)
    }

    /// - Returns: nil when the code is refused.
    func callAsFunction(_ member: Member.ID, _ id: StepUp.ID, code: String) async throws -> CardNumber? {
        try await self.confirm(id, .newCard, of: member, code: code) { transaction in
            let now = self.clock.now
            let blocked = try await MemberStore().blockCards(of: member, in: transaction)
            try await self.issue.bus.publish(
                contentsOf: blocked.map { CardBlocked(member: member, card: $0, blockedAt: now) }, in: transaction)
            let card = try await self.issue(to: member, at: now, in: transaction)
            try await self.tell.security(.member(member), .cardReplaced, in: transaction)
            return card
        }
    }
}

/// Gives a member a card and tells everybody.
struct IssueCard: Sendable {
    let bus: Bus
    let random: RandomBytes

    /// A virtual card. Numbers are random: of 10¹⁴ one is taken now and then, and the next is tried.
    func callAsFunction(
        to member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> CardNumber {
        for _ in 0..<8 {
            let card = CardNumber.make(random: self.random)
            if try await MemberStore().insert(card, of: member, at: now, in: transaction) {
                try await self.bus.publish(CardIssued(member: member, card: card, issuedAt: now), in: transaction)
                return card
            }
        }
        throw NoFreeCard()
    }

    /// A printed card out of the stock; false when it is not there, or somebody's already.
    func plastic(
        _ card: CardNumber, to member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        guard try await CardStockStore().take(card, for: member, at: now, in: transaction) else { return false }
        try await self.bus.publish(CardIssued(member: member, card: card, issuedAt: now), in: transaction)
        return true
    }

    /// Eight random numbers in a row were taken: the generator is broken.
    struct NoFreeCard: Error {}
}
