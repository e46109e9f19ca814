import Kernel

/// What a member may agree to, each apart from the others.
enum ConsentPurpose: String, Codable, Hashable, Sendable, CaseIterable {
    case terms
    case personalData = "personal-data"
    /// Advertising.
    case marketing
    /// Points that expire, prices that drop.
    case reminders
    /// What is bought most, and offers chosen by it (152-FZ, article 16): allowed until it is withdrawn.
    case profiling

    /// Nobody is a member without these.
    var isRequired: Bool { self == .terms || self == .personalData }

    /// What registration asks, always.
    static let asked: [ConsentPurpose] = [.terms, .personalData, .marketing]

    /// The channels that a choice about this purpose is recorded for, so that one can be withdrawn without the others.
    var channels: [ConsentChannel] {
        switch self {
        case .terms, .personalData, .profiling: [.any]
        case .marketing, .reminders: [.sms, .email, .push]
        }
    }
}

enum ConsentChannel: String, Codable, Hashable, Sendable {
    case any
    case sms
    case email
    case push
}

/// Where a choice was made, or a member registered.
enum ConsentSource: String, Hashable, Sendable {
    case web
    case importing = "import"
    case support
    case paper
    case cabinet
    /// Confirmed by a code to the very channel: the second half of a double opt-in.
    case code
}

/// One line of the consent ledger: purpose × channel × text version × time × source.
struct ConsentRecord: Hashable, Sendable {
    let purpose: ConsentPurpose
    let channel: ConsentChannel
    /// The wording that was shown, as its version.
    let textVersion: String
    let isGranted: Bool
    let source: ConsentSource
    let recordedAt: Timestamp
}

/// The three choices of a registration.
struct ConsentChoices: Hashable, Sendable {
    var terms: Bool
    var personalData: Bool
    var marketing: Bool

    /// The required purposes that were not agreed to; empty when the registration may go on.
    var missing: [ConsentPurpose] { ConsentPurpose.asked.filter { $0.isRequired && !self.isGranted($0) } }

    func isGranted(_ purpose: ConsentPurpose) -> Bool {
        switch purpose {
        case .terms: self.terms
        case .personalData: self.personalData
        case .marketing: self.marketing
        case .reminders, .profiling: false
        }
    }

    /// The lines to append. A refusal is recorded as well: it proves that the question was asked.
    func records(textVersion: String, source: ConsentSource, at now: Timestamp) -> [ConsentRecord] {
        ConsentPurpose.asked.flatMap { purpose in
            purpose.channels.map { channel in
                ConsentRecord(
                    purpose: purpose, channel: channel, textVersion: textVersion, isGranted: self.isGranted(purpose),
                    source: source, recordedAt: now)
            }
        }
    }
}

/// The newest choice of a member about one purpose and channel, as it is shown to them.
struct CurrentConsent: Hashable, Sendable {
    let purpose: String
    let channel: String
    let granted: Bool
    let textVersion: String
    let recordedAt: Timestamp
}
