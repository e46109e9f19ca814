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
    /// The open holds, the first to run out first: their points are ``held``.
    var holds: [OpenHold] = []
    /// What matures when, the earliest first: together it is ``pending``.
    var maturing: [MaturingDay] = []
}

/// Points that become available at a moment.
struct MaturingDay: Hashable, Sendable {
    /// When they can be spent.
    let maturesAt: Timestamp
    /// How many.
    let points: Points
}

/// Points that are set aside, and what for.
struct OpenHold: Hashable, Sendable {
    /// The hold.
    let id: Hold.ID
    /// `till`, `online`, …
    let purpose: String
    /// How many are still reserved.
    let points: Points
    /// When it was placed.
    let placedAt: Timestamp
    /// When it gives the points back by itself.
    let expiresAt: Timestamp
}

/// What a member had at a moment.
public struct PastBalance: Hashable, Sendable, Codable {
    /// By which of a transaction's two times the past is told.
    public enum Basis: String, Sendable, Codable, CaseIterable {
        /// What had happened by then, whenever the ledger learnt of it.
        case effective
        /// What the books said then.
        case recorded
    }

    /// Points that could be spent; by effective time below zero when something became known late.
    public let available: Int64
    /// Points that had not matured.
    public let pending: Int64
    /// Points under holds.
    public let held: Int64
    /// Points owed.
    public let debt: Int64
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
