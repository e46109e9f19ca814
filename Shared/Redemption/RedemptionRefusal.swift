public import Contracts
public import Kernel

/// Why a redemption does not go on as the member wants.
public enum RedemptionRefusal: Error, Hashable, Sendable {
    /// There is none of this member.
    case notFound
    /// The offer has run out.
    case expired
    /// auth sends no code, or does not accept it.
    case stepUp(StepUpRefusal)
    /// No code was asked for yet.
    case notAsked
    /// The ledger will not set the points aside; `available` is what there is.
    case hold(HoldRefusal, available: Points?)
    /// It stands where this cannot be done any more.
    case tooLate(RedemptionState)
    /// auth or the ledger did not answer in time: the same request again goes on with it.
    case undecided
}
