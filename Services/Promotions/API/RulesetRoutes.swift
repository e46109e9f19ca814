import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// What colleagues do with rulesets: draft, simulate, submit; and others: put in force or reject.
struct RulesetRoutes: Sendable {
    /// Bytes of a ruleset.
    private static let bodyBytesMax = 512 * 1024
    private static let simulationMax = 50_000
    private static let simulationSpan = Duration.seconds(366 * 86_400)

    private let database: Database
    private let draft: DraftRuleset
    private let activate: ActivateRuleset
    private let simulate: SimulateRuleset
    private let write: StaffWrite
    private let store = RulesetStore()

    init(
        database: Database, draft: DraftRuleset, activate: ActivateRuleset, simulate: SimulateRuleset,
        write: StaffWrite
    ) {
        (self.database, self.draft, self.activate, self.simulate) = (database, draft, activate, simulate)
        self.write = write
    }

    /// For whoever drafts and for whoever decides.
    func addForBoth(to group: RouterGroup<ClubRequestContext>) {
        group.get("rulesets") { request, _ in
            let page = try PageRequest<Int64>(request)
            let found = try await self.store.page(before: page.after, limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(found.map(RulesetSummary.init), limit: page.limit) { $0.ruleset })
        }
        group.get("rulesets/:ruleset") { _, context in
            let number = try context.number()
            guard let record = try await self.store.find(number, in: self.database),
                let document = try await self.store.document(number, in: self.database)
            else { throw Problem(ProblemKind.notFound) }
            return try Answer.json(
                RulesetAnswer(
                    summary: RulesetSummary(record), document: try StrictJSON.decode(Ruleset.self, bytes: document)))
        }
        group.post("rulesets/:ruleset/simulation") { request, context in
            let number = try context.number()
            let body = try await StrictJSON.decode(SimulationBody.self, from: request)
            guard body.from < body.to, body.to - body.from <= Self.simulationSpan, ReceiptLimits.isSound(body.from),
                ReceiptLimits.isSound(body.to)
            else {
                throw Problem(.invalidValue, at: "/to", detail: "after from, by a year at most")
            }
            guard try await self.store.find(number, in: self.database) != nil else {
                throw Problem(ProblemKind.notFound)
            }
            let outcome = try await self.simulate(
                number, over: Window(from: body.from, to: body.to), most: Self.simulationMax)
            return try Answer.json(SimulationAnswer(outcome))
        }
    }

    func addForEditors(to group: RouterGroup<ClubRequestContext>) {
        group.post("rulesets") { request, context in
            let bytes = try await StrictJSON.read(request, limit: Self.bodyBytesMax)
            let ruleset = try StrictJSON.decode(Ruleset.self, bytes: bytes)
            return try await self.write(request, context, body: bytes) { author, transaction in
                do {
                    let number = try await self.draft(ruleset, by: author.description, in: transaction)
                    return try .json(["ruleset": number], status: .created)
                } catch let defect as Ruleset.Defect {
                    throw Problem(
                        ProblemKind.rulesetDefect,
                        extensions: ["defect": .text(defect.code), "subject": .text(defect.subject)])
                }
            }
        }
        group.post("rulesets/:ruleset/submit") { request, context in
            try await self.step(request, context) { number, author, transaction in
                try await self.activate.submit(number, by: author, in: transaction)
            }
        }
    }

    func addForApprovers(to group: RouterGroup<ClubRequestContext>) {
        group.post("rulesets/:ruleset/activate") { request, context in
            try await self.step(request, context) { number, approver, transaction in
                try await self.activate(number, by: approver, in: transaction)
            }
        }
        group.post("rulesets/:ruleset/reject") { request, context in
            let bytes = try await StrictJSON.read(request)
            let body = try StrictJSON.decode(RejectionBody.self, bytes: bytes)
            guard body.note.isLine(max: 1000) else {
                throw Problem(.invalidValue, at: "/note", detail: "1 to 1000 characters")
            }
            return try await self.step(request, context, body: bytes) { number, rejecter, transaction in
                try await self.activate.reject(number, by: rejecter, because: body.note, in: transaction)
            }
        }
    }

    private func step(
        _ request: Request, _ context: ClubRequestContext, body: [UInt8] = [],
        _ take: (Int64, String, borrowing Transaction) async throws -> Void
    ) async throws -> Response {
        let number = try context.number()
        return try await self.write(request, context, body: body) { staff, transaction in
            do {
                try await take(number, staff.description, transaction)
            } catch let refusal as ActivateRuleset.Refusal {
                throw Problem(refusal)
            }
            guard let record = try await self.store.find(number, in: transaction) else {
                throw Problem(ProblemKind.notFound)
            }
            return try .json(RulesetSummary(record))
        }
    }
}

extension Problem {
    fileprivate init(_ refusal: ActivateRuleset.Refusal) {
        switch refusal {
        case .unknown: self.init(ProblemKind.notFound)
        case .wrongState(let state):
            self.init(ProblemKind.wrongState, extensions: ["state": .text(state.rawValue)])
        case .samePerson, .otherAuthor: self.init(ProblemKind.samePerson)
        case .budgetLowered: self.init(ProblemKind.budgetLowered)
        }
    }
}

extension ClubRequestContext {
    /// A ruleset's number out of the path.
    fileprivate func number() throws(Problem) -> Int64 {
        guard let number = self.parameters.get("ruleset").flatMap({ Int64($0) }), number > 0 else {
            throw Problem(ProblemKind.notFound)
        }
        return number
    }
}

struct SimulationBody: Decodable, Sendable {
    let from: Timestamp
    let to: Timestamp
}

struct RejectionBody: Decodable, Sendable {
    let note: String
}

struct RulesetSummary: Encodable, Sendable {
    let ruleset: Int64
    let state: RulesetState
    let author: String
    let draftedAt: Timestamp
    let approver: String?
    let activatedAt: Timestamp?
    let rejecter: String?
    let note: String?

    init(_ record: RulesetRecord) {
        (self.ruleset, self.state, self.author) = (record.number, record.state, record.author)
        (self.draftedAt, self.approver, self.activatedAt) = (record.draftedAt, record.approver, record.activatedAt)
        (self.rejecter, self.note) = (record.rejecter, record.note)
    }
}

struct RulesetAnswer: Encodable, Sendable {
    let summary: RulesetSummary
    let document: Ruleset
}

struct SimulationAnswer: Encodable, Sendable {
    let receipts: Int
    let pointsThen: Int64
    let pointsNow: Int64
    let rules: [ByRule]
    /// Kopecks that the tills would have taken off.
    let discounts: Int64
    let stickers: Int64
    let coupons: Int
    let isComplete: Bool

    struct ByRule: Encodable, Sendable {
        let rule: String
        let points: Int64
        let receipts: Int64
    }

    init(_ outcome: SimulateRuleset.Outcome) {
        (self.receipts, self.isComplete) = (outcome.receipts, outcome.isComplete)
        (self.pointsThen, self.pointsNow) = (outcome.pointsThen, outcome.pointsNow)
        (self.discounts, self.stickers, self.coupons) = (outcome.discounts, outcome.stickers, outcome.coupons)
        self.rules = outcome.byRule.sorted { $0.key < $1.key }
            .map { ByRule(rule: $0.key, points: $0.value.points, receipts: $0.value.times) }
    }
}
