public import Contracts
internal import Kernel
public import Postgres

/// What a service does with the points of its redemptions: the one part in which exchange, donation and certificate differ.
///
/// `submit` and `inquire` are called again after a crash or a silence, with the same redemption: its id is the other side's
/// idempotency key. Whatever they throw counts as ``FulfilmentAnswer/unknown(reason:)``.
public protocol Fulfilment: Sendable {
    /// Asks the other side to do it. No transaction is open.
    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer

    /// Asks the other side what became of it. No transaction is open.
    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer

    /// What takes the points. The same redemption, the same transfer.
    func capture(of redemption: RedemptionRecord) -> Transfer

    /// What closes the books once the other side has done it; nil when the capture did.
    func settlement(of redemption: RedemptionRecord) -> Transfer?

    /// A redemption has come to its present state: for what must be true together with it, such as a budget that gets
    /// back what was not spent. Anything thrown keeps the step from being taken.
    func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws
}

extension Fulfilment {
    /// Takes all of the hold's points and owes what they are worth.
    public func capture(of redemption: RedemptionRecord) -> Transfer {
        .capture(
            CaptureHold(
                hold: redemption.hold, member: redemption.member, points: nil,
                worth: redemption.worth == .zero ? nil : redemption.worth,
                match: redemption.match == .zero ? nil : redemption.match))
    }

    /// The capture did.
    public func settlement(of redemption: RedemptionRecord) -> Transfer? { nil }

    /// Nothing else must be true.
    public func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws {}
}

/// What the other side says about a redemption.
public enum FulfilmentAnswer: Hashable, Sendable {
    /// It will do it, and can say what it calls it.
    case accepted(reference: String?)
    /// It has done it.
    case credited(reference: String?)
    /// It will not do it, and has not; why, in kebab case.
    case rejected(reason: String)
    /// It knows of it and has not decided.
    case pending
    /// It was silent, or said nothing that can be understood; how, in kebab case.
    case unknown(reason: String)
    /// It has never heard of it: it is asked once more to do it.
    case notFound

    var reason: String? {
        switch self {
        case .rejected(let reason), .unknown(let reason): reason
        case .accepted, .credited, .pending, .notFound: nil
        }
    }

    var reference: String? {
        switch self {
        case .accepted(let reference), .credited(let reference): reference
        case .rejected, .unknown, .pending, .notFound: nil
        }
    }
}
