internal import Hummingbird
internal import Kernel
internal import Web

/// What a member may ask about the own points. Whose they are is said by the access token and by nothing else.
struct LedgerRoutes: Sendable {
    let account: ReadMemberAccount
    let rate: ExchangeRate
    let authentication: MemberAuthentication

    func add(to router: Router<ClubRequestContext>) {
        let member = router.group("v1").add(middleware: self.authentication)
        member.get("balance", use: self.balance)
        member.get("lots", use: self.lots)
        member.get("feed", use: self.feed)
        member.get("transactions/:id", use: self.transaction)
    }

    @Sendable private func balance(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        return try .json(BalanceBody(try await self.account.balance(of: member), self.rate), headers: Self.personal)
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

    /// No cache keeps what belongs to one member.
    private static let personal: HTTPFields = [.cacheControl: "no-store"]
}

extension Request {
    /// A query parameter; nil when it is not there.
    /// - Throws: `invalid-value` when it is there and cannot be read.
    fileprivate func parameter<Value>(_ name: String, _ read: (String) -> Value?) throws(Problem) -> Value? {
        guard let text = self.uri.queryParameters[Substring(name)] else { return nil }
        guard let value = read(String(text)) else {
            throw Problem(.invalidValue, detail: "the query parameter \(name) cannot be read")
        }
        return value
    }
}
