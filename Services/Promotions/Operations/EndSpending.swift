import Contracts
import JobQueue
import Kernel
import Postgres

/// Ends a payment with points: takes the points, or gives them back. The authorisation's id is the natural key of
/// both: the same end asked for again is answered the same, another end is refused.
struct EndSpending: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let store = AuthorisationStore()

    init(database: Database, bus: Bus, clock: any WallClock) {
        (self.database, self.bus, self.clock) = (database, bus, clock)
    }

    /// Takes the authorised points, or a part of them; the rest becomes available again.
    ///
    /// - Parameter points: nil for all.
    /// - Throws: `SpendingRefusal`.
    func capture(_ id: Hold.ID, points: Points?, from till: Till) async throws -> Authorisation {
        let authorisation = try await self.find(id, from: till)
        let wanted = points ?? authorisation.captured ?? authorisation.points
        guard wanted <= authorisation.points else { throw SpendingRefusal.overAuthorised(authorisation.points) }
        var next = authorisation
        switch authorisation.state {
        case .captured where authorisation.captured == wanted:
            return authorisation
        case .capturing where authorisation.captured == wanted:
            break
        case .placed:
            next.state = .capturing
            next.captured = wanted
            try await self.step(next, from: .placed)
        default:
            throw SpendingRefusal.alreadyEnded(authorisation.state)
        }
        let call = CaptureHold(hold: id, member: authorisation.member, points: wanted)
        switch try await self.bus.ask(call) {
        case .captured:
            next.state = .captured
        case .refused(let refusal):
            try await self.settle(next, refused: refusal)
        }
        _ = try await self.store.step(next, from: .capturing, at: self.clock.now, in: self.database)
        return next
    }

    /// Gives the authorised points back.
    ///
    /// - Throws: `SpendingRefusal`.
    func void(_ id: Hold.ID, from till: Till) async throws -> Authorisation {
        let authorisation = try await self.find(id, from: till)
        var next = authorisation
        switch authorisation.state {
        case .voided:
            return authorisation
        case .voiding:
            break
        case .placed:
            next.state = .voiding
            try await self.step(next, from: .placed)
        default:
            throw SpendingRefusal.alreadyEnded(authorisation.state)
        }
        let call = VoidHold(hold: id, member: authorisation.member)
        switch try await self.bus.ask(call) {
        case .voided:
            next.state = .voided
        case .refused(let refusal):
            try await self.settle(next, refused: refusal)
        }
        _ = try await self.store.step(next, from: .voiding, at: self.clock.now, in: self.database)
        return next
    }

    /// An authorisation of another store's till is answered like one that does not exist.
    private func find(_ id: Hold.ID, from till: Till) async throws -> Authorisation {
        guard let authorisation = try await self.store.find(id, in: self.database),
            till.speaks(for: authorisation.store)
        else { throw SpendingRefusal.unknownAuthorisation }
        return authorisation
    }

    private func step(_ next: Authorisation, from state: Authorisation.State) async throws {
        guard try await self.store.step(next, from: state, at: self.clock.now, in: self.database) else {
            // Another request took a step since: whoever repeats this one sees where it led.
            throw SpendingRefusal.undecided
        }
    }

    /// The ledger says that the hold has ended otherwise, most often by running out: this is written down as it is
    /// there.
    private func settle(_ next: Authorisation, refused refusal: HoldRefusal) async throws -> Never {
        var settled = next
        settled.captured = nil
        switch refusal {
        case .holdExpired: settled.state = .lapsed
        case .holdVoided: settled.state = .voided
        case .insufficientPoints, .unknownMember, .unknownHold, .holdMismatch, .holdCaptured, .exceedsHold, .noPoints:
            throw SpendingRefusal.refused(code: refusal.rawValue)
        }
        _ = try await self.store.step(settled, from: next.state, at: self.clock.now, in: self.database)
        throw SpendingRefusal.alreadyEnded(settled.state)
    }
}
