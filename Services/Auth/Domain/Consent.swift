import Kernel

/// What a member may agree to, each apart from the others.
enum ConsentPurpose: String, Hashable, Sendable, CaseIterable {
    case terms
    case personalData = "personal-data"
    case marketing

    /// Nobody is a member without these.
    var isRequired: Bool { self != .marketing }

    /// The channels that a choice about this purpose is recorded for, so that one can be withdrawn without the others.
    var channels: [ConsentChannel] {
        switch self {
        case .terms, .personalData: [.any]
        case .marketing: [.sms, .email, .push]
        }
    }
}

enum ConsentChannel: String, Hashable, Sendable {
    case any
    case sms
    case email
    case push
}

/// Where a choice was made, or a member registered.
enum ConsentSource: String, Hashable, Sendable {
    case web
    case importing = "import"
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
    var missing: [ConsentPurpose] { ConsentPurpose.allCases.filter { $0.isRequired && !self.isGranted($0) } }

    func isGranted(_ purpose: ConsentPurpose) -> Bool {
        switch purpose {
        case .terms: self.terms
        case .personalData: self.personalData
        case .marketing: self.marketing
        }
    }

    /// The lines to append. A refusal is recorded as well: it proves that the question was asked.
    func records(textVersion: String, source: ConsentSource, at now: Timestamp) -> [ConsentRecord] {
        ConsentPurpose.allCases.flatMap { purpose in
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
