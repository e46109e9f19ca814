import Contracts
import Crypto
import FoundationEssentials
import Kernel

// What a step-up code is bound to, and what its message says.

/// What a challenge's code is for. A code of one purpose is never taken for another.
enum ChallengePurpose: String, Hashable, Sendable {
    case login
    /// Confirms one action of a member.
    case stepUp = "step-up"
    /// Proves a phone that is to become a member's.
    case phone
    /// Confirms that a phone's holder agrees to advertising by SMS.
    case consent
}

/// SHA-256 of who confirms what. The code is derived from it, so that a code for one action, amount, target or member is
/// wrong for every other.
struct StepUpBinding: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(_ subject: StepUpSubject, of member: Member.ID) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.bytes = Array(SHA256.hash(data: try encoder.encode(Bound(member: member, subject: subject))))
    }

    private struct Bound: Encodable {
        let member: Member.ID
        let subject: StepUpSubject
    }
}

extension StepUpSubject {
    /// Whether points leave the account: refused while spending is locked or the member is not active.
    var movesValue: Bool {
        switch self.action {
        case .exchange, .donation, .certificate: true
        case .phoneChange, .newCard, .unlockSpending, .erasure: false
        }
    }

    /// What auth can say in a message: a target that somebody could read, an amount with its unit or none.
    var isSayable: Bool {
        self.target.unicodeScalars.count <= 200 && !self.target.utf8.contains(0)
            && (self.amount == nil) == (self.unit == nil) && (self.amount ?? 0) >= 0
    }
}

extension SMSText {
    /// Says what the code confirms: action, amount and target, cut to one segment at the end of the target.
    static func stepUp(_ code: LoginCode, _ subject: StepUpSubject, language: MemberLanguage) -> String {
        let (head, tail) =
            switch language {
            case .russian: ("\(code.reveal()) — \(subject.russianDeed)", ". Никому его не сообщайте.")
            case .english: ("\(code.reveal()) - \(subject.englishDeed)", ". Do not share this code.")
            }
        guard !subject.target.isEmpty else { return Self.cut(head, tail) }
        return Self.cut(head + ": " + subject.target, tail)
    }

    /// A code for a phone that is to become a member's.
    static func newPhone(_ code: LoginCode) -> String {
        "\(code.reveal()) — код для смены номера. Никому его не сообщайте."
    }

    /// The second half of a double opt-in.
    static func consent(_ code: LoginCode) -> String {
        "\(code.reveal()) — согласие на рекламу по SMS. Никому его не сообщайте."
    }

    /// `text`, shortened so that with `tail` it fits one segment.
    private static func cut(_ text: String, _ tail: String) -> String {
        let room = Self.segmentUTF16Units - tail.utf16.count
        guard text.utf16.count > room else { return text + tail }
        var kept = ""
        for character in text {
            guard kept.utf16.count + character.utf16.count < room else { break }
            kept.append(character)
        }
        return kept + "…" + tail
    }
}

extension StepUpSubject {
    fileprivate var russianDeed: String {
        switch self.action {
        case .exchange: "обмен\(self.russianAmount)"
        case .donation: "дар\(self.russianAmount)"
        case .certificate: "сертификат\(self.russianAmount)"
        case .phoneChange: "смена номера"
        case .newCard: "новая карта"
        case .unlockSpending: "снять запрет трат"
        case .erasure: "удалить все данные"
        }
    }

    fileprivate var englishDeed: String {
        switch self.action {
        case .exchange: "exchange\(self.englishAmount)"
        case .donation: "donate\(self.englishAmount)"
        case .certificate: "certificate\(self.englishAmount)"
        case .phoneChange: "change of phone"
        case .newCard: "new card"
        case .unlockSpending: "unlock spending"
        case .erasure: "erase all data"
        }
    }

    private var russianAmount: String {
        switch (self.amount, self.unit) {
        case (.some(let amount), .points): " \(amount) б."
        case (.some(let amount), .kopecks): " \(Self.roubles(amount)) ₽"
        default: ""
        }
    }

    private var englishAmount: String {
        switch (self.amount, self.unit) {
        case (.some(let amount), .points): " \(amount) pts"
        case (.some(let amount), .kopecks): " \(Self.roubles(amount)) ₽"
        default: ""
        }
    }

    /// `1500` or `1500,50`.
    private static func roubles(_ kopecks: Int64) -> String {
        let (whole, rest) = kopecks.quotientAndRemainder(dividingBy: 100)
        return rest == 0 ? "\(whole)" : "\(whole),\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension Vault {
    /// Seals what a code confirms, bound to its challenge.
    func seal(_ subject: StepUpSubject, of challenge: Challenge.ID) throws -> [UInt8] {
        try self.seal(Array(JSONEncoder().encode(subject)), at: "step-up/\(challenge)")
    }

    func openSubject(_ sealed: [UInt8], of challenge: Challenge.ID) throws -> StepUpSubject {
        try JSONDecoder().decode(StepUpSubject.self, from: Data(self.open(sealed, at: "step-up/\(challenge)")))
    }
}
