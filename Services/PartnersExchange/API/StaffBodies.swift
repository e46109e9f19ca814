import Contracts
import Kernel
import Redemption
import Web

/// A partner as its manager sees it. The secret is never shown.
struct ManagedPartnerBody: Encodable, Sendable {
    let partner: String
    let kind: Partner.Kind
    let title: Bilingual
    let address: String?
    let hasSecret: Bool
    let isActive: Bool
    let failures: Int32
    let shutUntil: Timestamp?

    init(_ partner: Partner) {
        (self.partner, self.kind, self.title) = (partner.code, partner.kind, partner.title)
        (self.address, self.hasSecret, self.isActive) = (partner.address, partner.secret != nil, partner.isActive)
        (self.failures, self.shutUntil) = (partner.breaker.failures, partner.breaker.shutUntil)
    }
}

/// What a partner manager changes; what is left out stays.
struct PartnerChangeRequest: Decodable, Sendable {
    let secret: String?
    let isActive: Bool?
    let reason: String?

    /// - Throws: `invalid-value` for a reason that says nothing.
    func parsed() throws(Problem) -> ManagePartners.Change {
        ManagePartners.Change(
            secret: self.secret.map { Secret($0) }, isActive: self.isActive,
            reason: try self.reason.map { text throws(Problem) in try StaffText.checked(text, at: "/reason") } ?? "-")
    }
}

/// Codes for a pool.
struct CodesRequest: Decodable, Sendable {
    let codes: [String]

    /// - Throws: `invalid-value` for codes that are none.
    func parsed() throws(Problem) -> [String] {
        guard 1...ManagePartners.codesMax ~= self.codes.count else {
            throw Problem(
                ProblemKind.invalidValue, at: "/codes", detail: "1 to \(ManagePartners.codesMax) codes")
        }
        for (index, code) in self.codes.enumerated() {
            guard 4...64 ~= code.utf8.count, code.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Problem(
                    ProblemKind.invalidValue, at: "/codes/\(index)", detail: "4 to 64 printable characters")
            }
        }
        return self.codes
    }
}

/// What came of loading codes.
struct CodesAnswer: Encodable, Sendable {
    let added: Int
    let left: Int64
}

/// A partner's daily file.
struct FileRequest: Decodable, Sendable {
    /// The day in Moscow that it is about: `2026-11-27`.
    let day: String
    let content: String

    /// - Throws: `invalid-value` for a day that is none.
    func parsedDay() throws(Problem) -> CivilDate {
        let parts = self.day.split(separator: "-", omittingEmptySubsequences: false)
        guard self.day.utf8.count == 10, parts.count == 3, let year = Int64(parts[0]), let month = Int64(parts[1]),
            let day = Int64(parts[2]), let date = CivilDate(year: year, month: month, day: day)
        else { throw Problem(ProblemKind.invalidValue, at: "/day", detail: "a day is written as 2026-11-27") }
        return date
    }
}

/// What came of a file.
struct FileAnswer: Encodable, Sendable {
    let partner: String
    let lines: Int32
    /// Orders that it moved.
    let applied: Int32
    /// Work items, new ones and those that were open.
    let differences: Int32
    /// Whether the same file was taken before: then nothing has changed.
    let isKnown: Bool

    init(_ outcome: ImportDailyFile.Outcome) {
        (self.partner, self.lines, self.applied) = (outcome.file.partner, outcome.file.lines, outcome.file.applied)
        (self.differences, self.isKnown) = (outcome.file.differences, outcome.isKnown)
    }
}

/// What a person must look at.
struct WorkItemBody: Encodable, Sendable {
    let workItem: WorkItem.ID
    let kind: WorkItem.Kind
    let partner: String
    let subject: String
    let member: Member.ID?
    let exchange: Exchange.ID?
    let detail: String?
    let openedAt: Timestamp
    let closedAt: Timestamp?
    let comment: String?

    init(_ item: WorkItem) {
        (self.workItem, self.kind, self.partner, self.subject) = (item.id, item.kind, item.partner, item.subject)
        (self.member, self.exchange, self.detail) = (item.member, item.exchange, item.detail)
        (self.openedAt, self.closedAt, self.comment) = (item.openedAt, item.closedAt, item.comment)
    }
}

/// What colleagues write for other colleagues.
enum StaffText {
    /// - Throws: `invalid-value` for a text that says nothing, or too much.
    static func checked(_ text: String, at pointer: String) throws(Problem) -> String {
        guard 1...1000 ~= text.count, text.contains(where: { !$0.isWhitespace }),
            !text.unicodeScalars.contains("\0")
        else {
            throw Problem(ProblemKind.invalidValue, at: pointer, detail: "1 to 1000 characters")
        }
        return text
    }
}

/// What was found out.
struct DecisionRequest: Decodable, Sendable {
    let decision: DecideWorkItem.Decision
    let comment: String

    /// - Throws: `invalid-value` for a comment that says nothing.
    func checked() throws(Problem) -> Self {
        _ = try StaffText.checked(self.comment, at: "/comment")
        return self
    }
}

/// The board: how many exchanges stand where, and those that stand longest.
struct BoardBody: Encodable, Sendable {
    let states: [State]
    let stuck: [Stuck]

    struct State: Encodable, Sendable {
        let state: RedemptionState
        let count: Int64
        let oldest: Timestamp
    }

    struct Stuck: Encodable, Sendable {
        let exchange: Exchange.ID
        let member: Member.ID
        let purpose: String
        let points: Points
        let state: RedemptionState
        let since: Timestamp
        let reason: String?
    }

    init(counts: [RedemptionCount], stuck: [RedemptionRecord]) {
        self.states = counts.map { State(state: $0.state, count: $0.count, oldest: $0.oldest) }
        self.stuck = stuck.map { record in
            Stuck(
                exchange: Exchange.ID(record.id.raw), member: record.member, purpose: record.purpose.rawValue,
                points: record.points, state: record.state, since: record.since, reason: record.reason)
        }
    }
}

/// Which exchanges are to be paid for.
struct PayoutRequest: Decodable, Sendable {
    let until: Timestamp
}

/// Money for a partner.
struct PayoutBody: Encodable, Sendable {
    let payout: Payout.ID
    let partner: String
    let until: Timestamp
    let draftedBy: Staff.ID
    let approvedBy: Staff.ID?
    let points: Points?
    let kopecks: Kopecks?
    let refusal: String?

    init(_ payout: Payout) {
        (self.payout, self.partner, self.until) = (payout.id, payout.partner, payout.until)
        (self.draftedBy, self.approvedBy) = (payout.draftedBy, payout.approvedBy)
        (self.points, self.kopecks, self.refusal) = (payout.points, payout.kopecks, payout.refusal)
    }
}

/// Our file to a partner: what it is to do.
enum OrderFile {
    static let header = "order;account;offer;units;points"

    static func text(_ lines: [(order: ExchangeOrder, account: String?)]) -> String {
        let rows = lines.map { line in
            "\(line.order.id);\(line.account ?? "");\(line.order.offer);\(line.order.units);\(line.order.points)"
        }
        return ([Self.header] + rows).joined(separator: "\n") + "\n"
    }
}
