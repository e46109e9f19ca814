import HTTPTypes
import Kernel
import Web

/// What a sale would bring.
struct QuoteAnswer: Encodable, Sendable {
    let points: Points
    let lines: [LineResult]
    let ruleset: Int64

    init(_ evaluation: Evaluation) {
        (self.points, self.lines, self.ruleset) = (evaluation.points, evaluation.lines, evaluation.ruleset)
    }
}

/// The answers of a batch, in the order of its operations.
struct BatchAnswer: Encodable, Sendable {
    let operations: [Operation]

    struct Operation: Encodable, Sendable {
        let key: String
        /// The HTTP status that the operation alone would have been answered with.
        let status: Int
        /// Whether the answer was given before.
        var replayed: Bool?
        var receipt: ReceiptAnswer?
        var `return`: ReturnAnswer?
        var problem: ProblemBody?
    }
}

extension BatchAnswer.Operation {
    init(
        key: String, _ outcome: Result<AcceptReceipts.Acceptance, ReceiptRefusal>, at pointer: String
    ) {
        switch outcome {
        case .success(.accepted(let answer)): self.init(key: key, status: 201, receipt: answer)
        case .success(.repeated(let answer)): self.init(key: key, status: 200, replayed: true, receipt: answer)
        case .failure(let refusal): self.init(key: key, refused: Problem(refusal, at: pointer))
        }
    }

    init(key: String, _ goods: GoodsReturn, isRepeated: Bool) {
        let status = isRepeated ? 200 : goods.state == .waiting ? 202 : 201
        self.init(key: key, status: status, replayed: isRepeated ? true : nil, return: ReturnAnswer(goods))
    }

    init(key: String, refused problem: Problem) {
        self.init(key: key, status: problem.status.code, problem: ProblemBody(problem))
    }
}

/// A problem document (RFC 9457) inside of an answer.
struct ProblemBody: Encodable, Sendable {
    let type: String
    let code: String
    let title: String
    let titleEnglish: String
    let status: Int
    let errors: [Problem.Violation]

    private enum CodingKeys: String, CodingKey {
        case type
        case code
        case title
        case titleEnglish = "title_en"
        case status
        case errors
    }

    init(_ problem: Problem) {
        self.type = "urn:club:problem:" + problem.kind.code
        self.code = problem.kind.code
        self.title = problem.kind.title
        self.titleEnglish = problem.kind.englishTitle
        self.status = problem.status.code
        self.errors = problem.violations
    }
}
