import Hummingbird
import Kernel
import Postgres
import Web

/// Corrections of points, which need two colleagues, and what supervisors write for everybody.
struct SupervisorRoutes: Sendable {
    let database: Database
    let correct: CorrectPoints
    let clock: any WallClock
    private let corrections = CorrectionStore()
    private let desk = DeskStore()

    init(database: Database, correct: CorrectPoints, clock: any WallClock) {
        (self.database, self.correct, self.clock) = (database, correct, clock)
    }

    /// - Parameters:
    ///   - colleagues: behind ``StaffAuthentication`` for support and supervisors.
    ///   - supervisors: behind it for supervisors only.
    func add(
        toColleagues colleagues: RouterGroup<ClubRequestContext>, supervisors: RouterGroup<ClubRequestContext>
    ) {
        colleagues.post("tickets/:ticket/corrections", use: self.request)
        colleagues.get("corrections", use: self.list)
        supervisors.put("corrections/:correction/decision", use: self.decide)
        supervisors.put("canned-answers/:code", use: self.put)
    }

    /// Without an Idempotency-Key: the same wish for the same ticket is the same request.
    @Sendable private func request(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("ticket", of: Ticket.self)
        let body = try await StrictJSON.decode(CorrectionRequestBody.self, from: request)
        let points = try body.checked()
        let correction = try await answering {
            try await self.correct.request(points, because: body.reason.text, for: id, by: staff)
        }
        return try .json(CorrectionBody(correction))
    }

    @Sendable private func decide(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let id = try context.id("correction", of: LedgerTransferName.self)
        let body = try await StrictJSON.decode(DecisionBody.self, from: request)
        let correction = try await answering {
            try await self.correct.decide(Correction.ID(id.raw), approves: body.approves, by: staff)
        }
        return try .json(CorrectionBody(correction))
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let page = try PageRequest<Correction.ID>(request, standard: 50)
        let state = try request.parameter("state") { Correction.State(rawValue: $0) } ?? .requested
        let found = try await self.corrections.page(
            in: state, after: page.after, limit: page.limit + 1, in: self.database)
        return try .json(try Page(found.map(CorrectionBody.init), limit: page.limit, position: \.id))
    }

    @Sendable private func put(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        guard let code = context.parameters.get("code"), 1...40 ~= code.utf8.count,
            code.utf8.allSatisfy({ 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") })
        else { throw Problem(.invalidValue, detail: "a code has 1 to 40 small letters, digits and hyphens") }
        let body = try await StrictJSON.decode(CannedTextBody.self, from: request)
        let answer = CannedAnswer(
            code: code, title: body.title.text, text: .init(ru: body.ru.text, en: body.en.text))
        try await self.desk.put(answer, by: staff, at: self.clock.now, in: self.database)
        return try .json(CannedAnswerBody(answer))
    }
}

/// The path's name of a correction, whose own type belongs to the ledger.
private enum LedgerTransferName {}
