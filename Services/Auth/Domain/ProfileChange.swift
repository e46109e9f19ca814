import Kernel

/// A field of a profile that changes leave a trace of.
enum ProfileField: String, Hashable, Sendable {
    case fullName = "full-name"
    case phone
    case birthday
    case email
    case favouriteStore = "favourite-store"
    case language
    case timeZone = "time-zone"
}

/// What became of one field.
struct ProfileChange: Sendable {
    let field: ProfileField
    let before: String?
    let after: String?
}

/// Who changed it.
enum ProfileActor: Hashable, Sendable {
    /// The member, in a session.
    case member(Session.ID)
    case staff(Staff.ID)
}

/// What a member wants their profile to be; what is nil stays.
struct ProfileWishes: Hashable, Sendable {
    var fullName: FullName?
    var birthday: Birthday?
    var favouriteStore: Wish<StoreID>?
    var language: MemberLanguage?
    var zone: MemberZone?

    /// A value, or none.
    enum Wish<Value: Hashable & Sendable>: Hashable, Sendable {
        case value(Value)
        case none

        var value: Value? {
            switch self {
            case .value(let value): value
            case .none: nil
            }
        }
    }
}
