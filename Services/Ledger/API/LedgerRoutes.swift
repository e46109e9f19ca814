internal import Hummingbird
internal import Kernel
internal import Logging
internal import Web

/// What a member may ask about the own points. Whose they are is said by the access token and by nothing else.
struct LedgerRoutes: Sendable {
    let account: ReadMemberAccount
    let proofs: ProveTransaction
    let statements: StatementRoutes
    let rate: ExchangeRate
    let authentication: MemberAuthentication

    func add(to router: Router<ClubRequestContext>) {
        let member = router.group("v1").add(middleware: self.authentication)
        member.get("balance", use: self.balance)
        member.get("balance/at", use: self.pastBalance)
        member.get("lots", use: self.lots)
        member.get("feed", use: self.feed)
        member.get("statement", use: self.statements.statement)
        member.get("transactions/:id", use: self.transaction)
        member.get("transactions/:id/proof", use: self.proof)
    }

    @Sendable private func balance(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        return try .json(BalanceBody(try await self.account.balance(of: member), self.rate), headers: Self.personal)
    }

    @Sendable private func pastBalance(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        guard let moment = try request.parameter("moment", { Timestamp($0) }) else {
            throw Problem(.invalidValue, detail: "the query parameter moment is missing")
        }
        let basis = try request.parameter("by") { PastBalance.Basis(rawValue: $0) } ?? .recorded
        let balance = try await self.account.balance(of: member, at: moment, by: basis)
        return try .json(PastBalanceBody(balance, at: moment, by: basis, self.rate), headers: Self.personal)
    }

    @Sendable private func lots(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        return try .json(LotsBody(try await self.account.lots(of: member), self.rate), headers: Self.personal)
    }

    @Sendable private func feed(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let page = try PageRequest<LedgerTransaction.ID>(request, standard: 30)
        var query = FeedQuery(before: page.after, limit: page.limit + 1)
        query.direction = try request.parameter("direction") { FeedDirection(rawValue: $0) }
        query.kinds = try request.parameter("kind") { text in
            let kinds = text.split(separator: ",").map { TransactionKind(rawValue: String($0)) }
            return kinds.isEmpty || kinds.contains(nil) ? nil : kinds.compactMap(\.self)
        }
        query.subject = try request.parameter("subject") { Identifier<FeedSubject>($0) }
        query.from = try request.parameter("from") { Timestamp($0) }
        query.to = try request.parameter("to") { Timestamp($0) }
        let lines = try await self.account.feed(of: member, query).map { FeedLineBody($0, self.rate) }
        return try .json(try Page(lines, limit: page.limit, position: \.id), headers: Self.personal)
    }

    @Sendable private func transaction(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let id = try context.id("id", of: LedgerTransaction.self)
        guard let line = try await self.account.transaction(id, of: member) else { throw Problem(.notFound) }
        return try .json(FeedLineBody(line, self.rate), headers: Self.personal)
    }

    @Sendable private func proof(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let id = try context.id("id", of: LedgerTransaction.self)
        switch try await self.proofs(id, of: member) {
        case .proof(let proof): return try .json(proof, headers: Self.personal)
        case .unknown: throw Problem(.notFound)
        case .notSealed: throw Problem(.notSealedYet, retryAfter: .seconds(5))
        case .broken(let sentence):
            context.logger.error("The books contradict a seal", metadata: ["ledger.finding": "\(sentence)"])
            throw BrokenEvidence()
        }
    }

    /// No cache keeps what belongs to one member.
    static let personal: HTTPFields = [.cacheControl: "no-store"]
}

extension ProblemKind {
    static let notSealedYet = ProblemKind(
        .conflict, "not-sealed-yet", ru: "Операция ещё не опечатана, повторите запрос через несколько секунд",
        en: "The transaction is not sealed yet, ask again in some seconds")
}

/// The books contradict what was sealed: nothing that a member could do about, and much for an operator.
struct BrokenEvidence: Error {}

extension Request {
    /// A query parameter; nil when it is not there.
    /// - Throws: `invalid-value` when it is there and cannot be read.
    func parameter<Value>(_ name: String, _ read: (String) -> Value?) throws(Problem) -> Value? {
        guard let text = self.uri.queryParameters[Substring(name)] else { return nil }
        guard let value = read(String(text)) else {
            throw Problem(.invalidValue, detail: "the query parameter \(name) cannot be read")
        }
        return value
    }
}
