import Contracts
import JobQueue
import Kernel
import Logging
import Postgres

/// Sets points aside for a payment at the till.
///
/// A static card number can only earn: spending takes the rotating token of the member's screen, which is verified
/// without asking anybody and authorises once. The attempt is written before the ledger is asked, under the id of the
/// hold; a till that hears nothing repeats the request under the same Idempotency-Key and the same hold is asked for.
///
/// Whether the member may spend is auth's to say, and auth is asked: an event may be late, and a lock must hold from the moment
/// in which the member is told that it does. While auth does not answer nothing is spent.
struct AuthoriseSpending: Sendable {
    /// A payment as a till asks for it.
    struct Request: Sendable {
        let cardToken: String
        let store: StoreID
        let lines: [ReceiptLine]
        let total: Kopecks
        let points: Points
        let key: IdempotencyKey
        let fingerprint: [UInt8]
    }

    /// The member's screen as its token proves it.
    struct Token: Hashable, Sendable {
        let member: Member.ID
        let id: String
    }

    private let database: Database
    private let bus: Bus
    private let rulesets: Rulesets
    private let verify: @Sendable (String) async throws -> Token?
    private let clock: any WallClock
    private let ids: IDGenerator
    private let hold: Duration
    private let store = AuthorisationStore()
    private let profiles = ProfileStore()

    /// - Parameters:
    ///   - hold: how long the points stay set aside.
    ///   - verify: the token's member and id; nil for one that is not ours, has run out or is of another kind.
    init(
        database: Database, bus: Bus, rulesets: Rulesets, clock: any WallClock, ids: IDGenerator, hold: Duration,
        verify: @escaping @Sendable (String) async throws -> Token?
    ) {
        (self.database, self.bus, self.rulesets) = (database, bus, rulesets)
        (self.clock, self.ids, self.hold, self.verify) = (clock, ids, hold, verify)
    }

    /// The authorisation, and whether it was decided before this request.
    ///
    /// - Throws: `SpendingRefusal`.
    func callAsFunction(
        _ request: Request, from till: Till
    ) async throws -> (authorisation: Authorisation, isRepeated: Bool) {
        let earlier = try await self.store.find(till: till.key, key: request.key, in: self.database)
        let attempt = if let earlier { earlier } else { try await self.begin(request, from: till) }
        guard attempt.fingerprint == request.fingerprint else { throw SpendingRefusal.keyReused }
        let decided = attempt.state == .placing ? try await self.place(attempt) : attempt
        if decided.state == .refused { throw SpendingRefusal(refused: decided) }
        return (decided, isRepeated: attempt.state != .placing)
    }

    private func begin(_ request: Request, from till: Till) async throws -> Authorisation {
        guard let token = try await self.verify(request.cardToken) else { throw SpendingRefusal.invalidToken }
        guard till.speaks(for: request.store) else { throw SpendingRefusal.foreignStore }
        guard try await self.store.isStoreKnown(request.store, in: self.database) else {
            throw SpendingRefusal.unknownStore
        }
        let limit = try await self.rulesets.active().ruleset.spendingLimit(for: request.lines, total: request.total)
        guard request.points <= limit else { throw SpendingRefusal.overLimit(limit: limit) }
        try await self.requireStanding(of: token.member)
        let attempt = Authorisation(
            id: self.ids.next(), member: token.member, store: request.store, till: till.key,
            idempotencyKey: request.key, fingerprint: request.fingerprint, token: token.id, points: request.points,
            total: request.total, state: .placing)
        if try await self.store.insert(attempt, at: self.clock.now, in: self.database) { return attempt }
        // Either the same request arrived twice at the same moment, or the token has been used.
        guard let twin = try await self.store.find(till: till.key, key: request.key, in: self.database) else {
            throw SpendingRefusal.tokenUsed
        }
        return twin
    }

    /// What is known to be locked needs no question.
    private func requireStanding(of member: Member.ID) async throws {
        guard try await self.profiles.maySpend(member, in: self.database) else { throw SpendingRefusal.locked }
        let standing = try await self.bus.ask(FetchStanding(member: member)).standing
        guard let standing, standing.isActive, !standing.isSpendingLocked else { throw SpendingRefusal.locked }
    }

    /// Asks the ledger, which answers the same hold the same way however often it is asked for.
    private func place(_ attempt: Authorisation) async throws -> Authorisation {
        let call = PlaceHold(
            hold: attempt.id, member: attempt.member, points: attempt.points, purpose: .till,
            expiresInSeconds: self.hold.components.seconds)
        var decided = attempt
        switch try await self.bus.ask(call) {
        case .placed(_, let expiresAt):
            decided.state = .placed
            decided.expiresAt = expiresAt
        case .refused(let refusal, let available):
            decided.state = .refused
            decided.refusal = refusal.rawValue
            decided.available = available
        }
        // A twin of this request may have written the same decision already.
        _ = try await self.store.step(decided, from: .placing, at: self.clock.now, in: self.database)
        return decided
    }
}

extension SpendingRefusal {
    /// What the ledger refused, as it is told to the till.
    fileprivate init(refused authorisation: Authorisation) {
        let code = authorisation.refusal ?? "refused"
        self =
            code == HoldRefusal.insufficientPoints.rawValue
            ? .insufficientPoints(available: authorisation.available ?? .zero) : .refused(code: code)
    }
}

extension Bus {
    /// A call whose silence is an answer: whether it was carried out cannot be said yet.
    func ask<Question: Call>(_ call: Question) async throws -> Question.Reply {
        do {
            return try await self.call(call)
        } catch let error as CallError {
            Logger.current.warning(
                "A neighbour did not answer in time what a till has asked for",
                metadata: ["promotions.call": "\(Question.name)", "error": "\(error)"])
            throw SpendingRefusal.undecided
        }
    }
}
