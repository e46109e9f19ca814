import HTTPTypes
public import Hummingbird
import NIOCore

/// The body of a request: `application/json`, read up to a limit, decoded without mercy.
///
/// Everything that is wrong is a ``Problem`` with a stable code: `unsupported-media-type` (415), `body-too-large`
/// (413), and with 400 `malformed-json`, `nested-too-deeply`, and with the JSON Pointer of the place `duplicate-field`,
/// `unknown-field`, `missing-field`, `wrong-type`, `out-of-range` and `invalid-value`.
public struct StrictJSON: RequestDecoder {
    /// Levels of arrays and objects that a body may have.
    public static let depthLimit = 32
    /// Bytes that a body may have unless a route says otherwise.
    public static let defaultLimit = 64 * 1024
    /// How many unknown fields one problem lists.
    private static let violationsLimit = 10

    /// Makes the decoder of a request context; its limit is the context's.
    public init() {}

    /// What Hummingbird's `request.decode` calls.
    public func decode<Body: Decodable>(
        _ type: Body.Type, from request: Request, context: some RequestContext
    ) async throws -> Body {
        try await Self.decode(type, from: request, limit: context.maxUploadSize)
    }

    /// Reads and decodes the body.
    /// - Parameter limit: bytes; more are never held in memory.
    public static func decode<Body: Decodable>(
        _ type: Body.Type, from request: Request, limit: Int = Self.defaultLimit
    ) async throws -> Body {
        try Self.decode(type, bytes: await Self.read(request, limit: limit))
    }

    /// Reads the body, for whoever needs the bytes as well as their meaning.
    /// - Parameter limit: bytes; reading stops as soon as there are more.
    public static func read(_ request: Request, limit: Int = Self.defaultLimit) async throws -> [UInt8] {
        guard Self.isJSON(request.headers[.contentType]),
            request.headers[.contentEncoding].map({ $0.lowercased() == "identity" }) ?? true
        else { throw Problem(.unsupportedMediaType) }
        let tooLarge = Problem(.bodyTooLarge, detail: "At most \(limit) bytes are accepted.")
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        guard announced ?? 0 <= limit else { throw tooLarge }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(announced ?? 0)
        for try await chunk in request.body {
            guard bytes.count + chunk.readableBytes <= limit else { throw tooLarge }
            bytes += chunk.readableBytesView
        }
        return bytes
    }

    /// Decodes a body that has been read.
    public static func decode<Body: Decodable>(_ type: Body.Type, bytes: [UInt8]) throws -> Body {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes, depthLimit: Self.depthLimit)
        } catch .malformed(let position) {
            throw Problem(.malformedJSON, detail: "The text stops being JSON at byte \(position).")
        } catch .tooDeep {
            throw Problem(.nestedTooDeeply, detail: "At most \(Self.depthLimit) levels are accepted.")
        } catch .duplicate(let pointer) {
            throw Problem(.duplicateField, at: pointer.text)
        }
        let body = try Self.translatingErrors { try Body(from: JSONDecoding(value)) }
        let unused = value.unusedMembers(limit: Self.violationsLimit)
        guard unused.isEmpty else {
            throw Problem(
                .unknownField,
                violations: unused.map { .init(pointer: $0.text, code: ProblemKind.unknownField.code) })
        }
        return body
    }

    private static func translatingErrors<Body>(_ decode: () throws -> Body) throws -> Body {
        do {
            return try decode()
        } catch let error as NumberOutOfRange {
            throw Problem(.outOfRange, at: JSONPointer(path: error.codingPath).text)
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw Problem(
                .wrongType, at: JSONPointer(path: context.codingPath).text, detail: context.debugDescription)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw Problem(.missingField, at: JSONPointer(path: context.codingPath + [key]).text)
        } catch DecodingError.dataCorrupted(let context) {
            // The standard library quotes the value of an enumeration that it cannot make and names the Swift type.
            let isOurs = !context.debugDescription.hasPrefix("Cannot initialize")
            throw Problem(
                .invalidValue, at: JSONPointer(path: context.codingPath).text,
                detail: isOurs ? context.debugDescription : "not one of the allowed values")
        }
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType, contentType.utf8.count <= 256 else { return false }
        let parts = contentType.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\"" } }
        return parts.first == "application/json"
            && parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
    }
}
