public import Kernel

/// What a member has, by what can be done with it.
struct Balance: Hashable, Sendable {
    /// Can be spent. What has expired is not in here, from the second of its expiry on.
    let available: Points
    /// Earned, but not yet matured.
    let pending: Points
    /// Reserved by open holds.
    let held: Points
    /// Owed; repaid from later earnings before anything becomes available.
    let debt: Points
    /// What expires first, if anything does.
    let expiringNext: LotDay?
}

/// Points that expire at the same moment.
struct LotDay: Hashable, Sendable {
    /// The midnight in Moscow that ends the last day on which they can be spent.
    let expiresAt: Timestamp
    /// How many of them are left, reserved ones not counted.
    let points: Points
    /// The same by class, in the order of the classes' names.
    let classes: [LotShare]
}

/// A class's part of the points that expire at the same moment.
struct LotShare: Hashable, Sendable, Codable {
    /// `regular`, `promotional`, `grace`.
    let lotClass: String
    /// How many are left.
    let points: Points
}

/// A member and the available balance, for lists over all members.
public struct MemberBalance: Hashable, Sendable {
    /// Whose.
    public let member: Member.ID
    /// Can be spent.
    public let available: Points
}
