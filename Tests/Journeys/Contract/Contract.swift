import Foundation
import TestSupport
import Testing
import Yams

@testable import Club

/// What a running service says of itself: its openapi.yaml, as far as tests ask.
struct Contract: Sendable {
    struct Operation: Sendable {
        /// The names of what lets somebody in; none for everybody.
        let schemes: [String]
        /// The example of the JSON body; nil where there is none.
        let example: JSON?
        /// Where the body has free text, as the schema says.
        let texts: [TextPlace]
        /// The query parameters that are free text.
        let queries: [String]
    }

    /// The way from a body to a text in it.
    struct TextPlace: Hashable, Sendable, CustomStringConvertible {
        enum Step: Hashable, Sendable {
            case key(String)
            /// The first of an array.
            case element
        }

        var steps: [Step] = []

        var description: String {
            self.steps.map { step in
                switch step {
                case .key(let name): ".\(name)"
                case .element: "[0]"
                }
            }.joined()
        }

        func then(_ step: Step) -> TextPlace { TextPlace(steps: self.steps + [step]) }
    }

    /// By method and path: `GET /v1/me`.
    let operations: [String: Operation]

    init(of part: ServicePart, in programme: Programme) async throws {
        let answer = try await programme.send("GET", part, "/openapi.yaml")
        try self.init(yaml: answer.text)
    }

    init(yaml: String) throws {
        let document = ContractDocument(root: try JSON(yaml: #require(try Yams.load(yaml: yaml))))
        var operations: [String: Operation] = [:]
        for (path, item) in document.root["paths"]?.fields ?? [:] {
            for (method, operation) in item.fields where Self.methods.contains(method) {
                operations["\(method.uppercased()) \(path)"] = document.operation(operation, of: item)
            }
        }
        self.operations = operations
    }

    private static let methods: Set = ["get", "post", "put", "patch", "delete"]
}

/// The document that a contract is read from.
private struct ContractDocument {
    let root: JSON

    func operation(_ operation: JSON, of item: JSON) -> Contract.Operation {
        let security = operation["security"] ?? self.root["security"] ?? []
        let media = operation["requestBody"].map(self.resolved)?["content"]?["application/json"]
        let schema = media?["schema"].map(self.resolved)
        let examples = media?["examples"]?.fields.sorted { $0.key < $1.key }
            .compactMap { self.resolved($0.value)["value"] }
        let parameters = (item["parameters"]?.items ?? []) + (operation["parameters"]?.items ?? [])
        let queries = parameters.map(self.resolved).filter { $0["in"] == "query" }
            .filter { $0["schema"].map(self.resolved).map(Self.isText) ?? false }
        return Contract.Operation(
            schemes: security.items.flatMap { $0.fields.keys }.sorted(),
            example: media?["example"] ?? examples?.first ?? schema?["example"] ?? schema?["examples"]?.items.first,
            texts: media?["schema"].map { self.texts(in: $0, at: Contract.TextPlace(), through: []) } ?? [],
            queries: queries.compactMap { $0["name"]?.text })
    }

    /// What a `$ref` points at, or the value itself.
    private func resolved(_ value: JSON) -> JSON {
        guard let reference = value["$ref"]?.text else { return value }
        let found = reference.split(separator: "/").dropFirst().reduce(JSON?.some(self.root)) { $0?[String($1)] }
        return found.map(self.resolved) ?? value
    }

    /// A text that may be anything: neither one of a list nor of a format that says what it is.
    private static func isText(_ schema: JSON) -> Bool {
        let types = schema["type"]?.items ?? []
        guard schema["type"] == "string" || types.contains("string") else { return false }
        return schema["enum"] == nil && schema["const"] == nil
    }

    /// - Parameter references: those on the way here; a schema that contains itself is entered once.
    private func texts(
        in schema: JSON, at place: Contract.TextPlace, through references: Set<String>
    ) -> [Contract.TextPlace] {
        if let reference = schema["$ref"]?.text {
            guard !references.contains(reference) else { return [] }
            return self.texts(in: self.resolved(schema), at: place, through: references.union([reference]))
        }
        var found: Set<Contract.TextPlace> = Self.isText(schema) ? [place] : []
        for (name, property) in schema["properties"]?.fields ?? [:] {
            found.formUnion(self.texts(in: property, at: place.then(.key(name)), through: references))
        }
        if let items = schema["items"] {
            found.formUnion(self.texts(in: items, at: place.then(.element), through: references))
        }
        for choice in ["allOf", "anyOf", "oneOf"] {
            for part in schema[choice]?.items ?? [] {
                found.formUnion(self.texts(in: part, at: place, through: references))
            }
        }
        return found.sorted { $0.description < $1.description }
    }
}

extension JSON {
    /// The fields of an object; none for anything else.
    var fields: [String: JSON] {
        guard case .object(let fields) = self else { return [:] }
        return fields
    }

    /// A value that Yams has read.
    init(yaml value: Any) throws {
        switch value {
        case let fields as [AnyHashable: Any]:
            self = .object(
                Dictionary(try fields.map { ("\($0.key)", try JSON(yaml: $0.value)) }, uniquingKeysWith: { $1 }))
        case let items as [Any]: self = .array(try items.map { try JSON(yaml: $0) })
        case let text as String: self = .text(text)
        case let flag as Bool: self = .flag(flag)
        case let number as Int: self = .number(Int64(number))
        case let decimal as Double: self = .decimal(decimal)
        case let moment as Date: self = .text(moment.ISO8601Format())
        default: self = .null
        }
    }

    /// The same value with a text at a place, which is made where it is not there.
    func with(_ text: String, at steps: ArraySlice<Contract.TextPlace.Step>) -> JSON {
        guard let step = steps.first else { return .text(text) }
        switch step {
        case .key(let name):
            var fields = self.fields
            fields[name] = (fields[name] ?? .null).with(text, at: steps.dropFirst())
            return .object(fields)
        case .element:
            return .array([(self.items.first ?? .null).with(text, at: steps.dropFirst())] + self.items.dropFirst())
        }
    }
}
