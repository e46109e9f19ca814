import Kernel

/// How far a ruleset is: drafted by one person, submitted, put in force or rejected by another.
enum RulesetState: String, Hashable, Sendable, Codable {
    case draft
    case review
    case active
    case retired
    case rejected
}

/// A ruleset as colleagues see it in a list.
struct RulesetRecord: Hashable, Sendable {
    let number: Int64
    let state: RulesetState
    let author: String
    let draftedAt: Timestamp
    let approver: String?
    let activatedAt: Timestamp?
    let rejecter: String?
    let note: String?
}
