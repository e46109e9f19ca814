import Hummingbird
import Kernel
import Postgres
import Web

/// Reasons, questions and answers: for everybody.
struct FAQRoutes: Sendable {
    /// Articles that are suggested while somebody types.
    private static let suggestions = 5

    let database: Database
    private let store = FAQStore()

    init(database: Database) { self.database = database }

    /// An article as everybody sees it.
    private struct ArticleBody: Encodable {
        let id: String
        let category: String
        let question: Reason.Wording
        let answer: Reason.Wording
        let helped: Int64
        let unhelped: Int64

        init(_ article: FAQArticle) {
            (self.id, self.category) = (article.id, article.category)
            (self.question, self.answer) = (article.question, article.answer)
            (self.helped, self.unhelped) = (article.helped, article.unhelped)
        }
    }

    private struct ListBody<Item: Encodable>: Encodable { let items: [Item] }
    private struct VoteBody: Decodable { let helped: Bool }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("reasons") { _, _ in
            try Answer.json(ListBody(items: ReasonTree.groups.map(ReasonGroupBody.init)))
        }
        group.get("faq", use: self.list)
        group.get("faq/:article") { _, context in
            guard let article = try await self.store.find(Self.id(context), in: self.database) else {
                throw Problem(.notFound)
            }
            return try Answer.json(ArticleBody(article))
        }
        group.post("faq/:article/votes") { request, context in
            let vote = try await StrictJSON.decode(VoteBody.self, from: request)
            guard try await self.store.vote(Self.id(context), helped: vote.helped, in: self.database) else {
                throw Problem(.notFound)
            }
            return Answer.empty()
        }
    }

    private static func id(_ context: ClubRequestContext) throws(Problem) -> String {
        guard let id = context.parameters.get("article"), id.utf8.count <= 100, !id.utf8.contains(0) else {
            throw Problem(.notFound)
        }
        return id
    }

    /// All of them, or with `q` those that answer it best.
    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let query = request.uri.queryParameters
        let language = try query["language"].map { text throws(Problem) in
            guard let language = Language(rawValue: String(text)) else {
                throw Problem(.invalidValue, detail: "language is ru or en")
            }
            return language
        }
        guard let text = query["q"].map(String.init) else {
            return try .json(ListBody(items: try await self.store.all(in: self.database).map(ArticleBody.init)))
        }
        guard text.count <= 300, !text.utf8.contains(0) else {
            throw Problem(.invalidValue, detail: "q has at most 300 characters")
        }
        let found = try await self.store.search(
            text, language ?? .ru, limit: Self.suggestions, in: self.database)
        return try .json(ListBody(items: found.map(ArticleBody.init)))
    }
}
