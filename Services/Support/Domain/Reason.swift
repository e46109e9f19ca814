import Kernel

/// Why somebody writes: a leaf of the tree that a member walks down. It decides what the form asks for, who answers and
/// how soon.
struct Reason: Hashable, Sendable {
    /// Stable name in kebab case.
    let code: String
    let title: Wording
    /// Who answers.
    let team: Team
    /// What the form asks for beside the text and the address.
    let form: Form
    /// How soon.
    let targets: Targets
    /// What the system looks up by itself as soon as the ticket is there.
    var evidence: Evidence?

    /// A text in both languages.
    struct Wording: Codable, Hashable, Sendable {
        let ru: String
        let en: String

        subscript(language: Language) -> String { language == .ru ? self.ru : self.en }
    }

    /// Who answers tickets.
    enum Team: String, Codable, Hashable, Sendable, CaseIterable {
        case general, points, security, partners, stores, digital
    }

    /// Whether the form has a field.
    enum Need: String, Codable, Hashable, Sendable { case hidden, optional, required }

    /// The fields of the form.
    struct Form: Codable, Hashable, Sendable {
        var store: Need = .hidden
        var receipt: Need = .hidden
        /// An operation of the member's feed.
        var operation: Need = .hidden
        var photos: Need = .optional
    }

    /// How soon, in minutes that count.
    struct Targets: Codable, Hashable, Sendable {
        let firstResponseMinutes: Int64
        let solutionMinutes: Int64
        let hours: Hours

        /// Which minutes count.
        enum Hours: String, Codable, Hashable, Sendable {
            /// Those of working days, by the production calendar.
            case working
            /// All: theft does not wait for Monday.
            case always
        }

        /// An answer within a working day, a solution within three.
        static let standard = Targets(firstResponseMinutes: 8 * 60, solutionMinutes: 3 * 11 * 60, hours: .working)
        /// An answer within two working hours, a solution within a working day.
        static let soon = Targets(firstResponseMinutes: 120, solutionMinutes: 11 * 60, hours: .working)
        /// An answer within half an hour, a solution within four hours, at any time.
        static let urgent = Targets(firstResponseMinutes: 30, solutionMinutes: 240, hours: .always)
    }

    /// What the system can look up.
    enum Evidence: String, Codable, Hashable, Sendable {
        /// What became of the receipt.
        case receipt
    }
}

/// A branch of the tree.
struct ReasonGroup: Hashable, Sendable {
    let code: String
    let title: Reason.Wording
    let reasons: [Reason]
}

/// The languages of texts.
enum Language: String, Codable, Hashable, Sendable, CaseIterable { case ru, en }
