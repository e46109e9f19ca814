import Kernel
import Postgres

/// A question that is asked often, and its answer.
struct FAQArticle: Hashable, Sendable {
    let id: String
    let category: String
    let question: Reason.Wording
    let answer: Reason.Wording
    let helped: Int64
    let unhelped: Int64
}

/// Questions and answers.
struct FAQStore: Sendable {
    private static let columns: SQL = """
        article_id, category, question_ru, question_en, answer_ru, answer_en, helped, unhelped
        """

    func all(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [FAQArticle] {
        try await runner.query(
            "select \(fragment: Self.columns) from support.faq_article order by position, article_id")
    }

    func find(_ id: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> FAQArticle? {
        try await runner.first(
            "select \(fragment: Self.columns) from support.faq_article where article_id = \(id)", as: FAQArticle.self)
    }

    /// The articles that answer a question best, the best first.
    func search(
        _ text: String, _ language: Language, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [FAQArticle] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from support.search_faq(\(text), \(language.rawValue), \(Int32(limit))) with ordinality as found (id, place)
            join support.faq_article on article_id = found.id
            order by found.place
            """)
    }

    /// Counts somebody's mark.
    /// - Returns: false when there is no such article.
    func vote(
        _ id: String, helped: Bool, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update support.faq_article
            set helped = helped + \(Int64(helped ? 1 : 0)), unhelped = unhelped + \(Int64(helped ? 0 : 1))
            where article_id = \(id)
            """) == 1
    }
}

extension FAQArticle: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("article_id"), category: try row.value("category"),
            question: .init(ru: try row.value("question_ru"), en: try row.value("question_en")),
            answer: .init(ru: try row.value("answer_ru"), en: try row.value("answer_en")),
            helped: try row.value("helped"), unhelped: try row.value("unhelped"))
    }
}
