public import HTTPTypes
public import Hummingbird

/// One kind of thing that can go wrong, with its words. Declared once, used by name.
///
/// A service adds its own in an extension: `static let insufficientPoints = ProblemKind(.conflict, "insufficient-points", …)`.
public struct ProblemKind: Hashable, Sendable {
    /// The HTTP status.
    public let status: HTTPResponse.Status
    /// Stable name in kebab case; clients decide by it.
    public let code: String
    /// What a Russian-speaking member reads.
    public let title: String
    /// The same in English.
    public let englishTitle: String

    /// Declares a kind.
    public init(_ status: HTTPResponse.Status, _ code: String, ru title: String, en englishTitle: String) {
        self.status = status
        self.code = code
        self.title = title
        self.englishTitle = englishTitle
    }
}

/// An error as the client sees it: a problem document (RFC 9457).
///
/// ```json
/// {"code": "unknown-field", "errors": [{"code": "unknown-field", "pointer": "/lines/0/prise"}], "status": 400,
///  "title": "Неизвестное поле", "title_en": "Unknown field", "type": "urn:club:problem:unknown-field"}
/// ```
public struct Problem: Error, Equatable, Sendable {
    /// What went wrong.
    public let kind: ProblemKind
    /// More about this occurrence, in English, for developers; never personal data.
    public let detail: String?
    /// The parts of the request that are at fault.
    public let violations: [Violation]
    /// Members of the document that this kind adds, such as the balance.
    public let extensions: [String: Extension]
    /// Headers of the response, such as `Retry-After`.
    public let headers: HTTPFields

    /// Describes an occurrence.
    public init(
        _ kind: ProblemKind, detail: String? = nil, violations: [Violation] = [],
        extensions: [String: Extension] = [:], headers: HTTPFields = [:]
    ) {
        self.kind = kind
        self.detail = detail
        self.violations = violations
        self.extensions = extensions
        self.headers = headers
    }

    /// Describes an occurrence after which asking again makes sense.
    /// - Parameter retryAfter: goes into `Retry-After` as whole seconds, rounded up, at least one.
    public init(_ kind: ProblemKind, detail: String? = nil, retryAfter: Duration) {
        let (seconds, attoseconds) = retryAfter.components
        let whole = max(1, attoseconds > 0 ? seconds + 1 : seconds)
        self.init(kind, detail: detail, headers: [.retryAfter: String(whole)])
    }

    /// Describes one field that is at fault; the violation's code is the kind's.
    public init(_ kind: ProblemKind, at pointer: String, detail: String? = nil) {
        self.init(kind, violations: [Violation(pointer: pointer, code: kind.code, detail: detail)])
    }

    /// One part of the request that is at fault.
    public struct Violation: Codable, Hashable, Sendable {
        /// A JSON Pointer (RFC 6901) into the body; empty for the whole body.
        public let pointer: String
        /// Stable name in kebab case.
        public let code: String
        /// More about it, in English, for developers; never quotes the value.
        public let detail: String?

        /// Describes a part that is at fault.
        public init(pointer: String, code: String, detail: String? = nil) {
            self.pointer = pointer
            self.code = code
            self.detail = detail
        }
    }

    /// A value of an added member.
    public enum Extension: Encodable, Hashable, Sendable {
        /// A JSON number.
        case integer(Int64)
        /// A JSON string.
        case text(String)

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .integer(let integer): try container.encode(integer)
            case .text(let text): try container.encode(text)
            }
        }
    }
}

extension Problem: CustomStringConvertible {
    /// For logs: the code alone, since `detail` is meant for the client.
    public var description: String { "Problem(\(self.kind.code))" }
}

extension Problem: HTTPResponseError {
    /// The HTTP status.
    public var status: HTTPResponse.Status { self.kind.status }

    /// The document as a response.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        try self.response()
    }

    func response() throws -> Response {
        try self.answer().response()
    }

    /// The document in memory.
    func answer() throws -> Answer {
        var headers = self.headers
        headers[.contentType] = "application/problem+json"
        return Answer(status: self.status, headers: headers, body: try JSON.encode(Document(problem: self)))
    }

    private struct Document: Encodable {
        let problem: Problem

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: JSONKey.self)
            for (name, value) in self.problem.extensions {
                try container.encode(value, forKey: JSONKey(name))
            }
            try container.encode("urn:club:problem:" + self.problem.kind.code, forKey: "type")
            try container.encode(self.problem.kind.code, forKey: "code")
            try container.encode(self.problem.kind.title, forKey: "title")
            try container.encode(self.problem.kind.englishTitle, forKey: "title_en")
            try container.encode(self.problem.status.code, forKey: "status")
            try container.encodeIfPresent(self.problem.detail, forKey: "detail")
            if !self.problem.violations.isEmpty {
                try container.encode(self.problem.violations, forKey: "errors")
            }
        }
    }
}
