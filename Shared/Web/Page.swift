public import Hummingbird
import Kernel

/// One page of a list: `{"items": […], "next": "…"}`. The last page has no `next`.
public struct Page<Item: Encodable & Sendable>: Encodable, Sendable {
    /// What is on the page.
    public let items: [Item]
    /// What to give as `cursor` to get the page after this one; opaque to the client.
    public let next: String?

    /// Makes a page.
    /// - Parameters:
    ///   - items: one more than `limit` when there is a page after this one.
    ///   - position: where to go on after an item.
    public init(_ items: [Item], limit: Int, position: (Item) -> some Encodable) throws {
        self.items = Array(items.prefix(limit))
        self.next = items.count > limit ? try self.items.last.map { try Cursor.text(of: position($0)) } : nil
    }

    private init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }

    /// The same page of other items.
    public func map<Other>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try self.items.map(transform), next: self.next)
    }
}

/// Which page a client wants: the query parameters `cursor` and `limit`.
public struct PageRequest<Position: Decodable & Sendable>: Sendable {
    /// Where to go on; nil for the first page.
    public let after: Position?
    /// The most items that the client wants.
    public let limit: Int

    /// Reads the query.
    /// - Throws: `invalid-cursor`, or `invalid-value` for a limit that is not 1…`maximum`.
    public init(_ request: Request, standard: Int = 20, maximum: Int = 100) throws(Problem) {
        let query = request.uri.queryParameters
        if let text = query["limit"] {
            guard let limit = Int(text), 1...maximum ~= limit else {
                throw Problem(.invalidValue, detail: "limit is a whole number from 1 to \(maximum)")
            }
            self.limit = limit
        } else {
            self.limit = standard
        }
        self.after = try query["cursor"].map { text throws(Problem) in try Cursor.position(String(text)) }
    }
}

/// A position in a list as base64url of its JSON.
private enum Cursor {
    static func text(of position: some Encodable) throws -> String {
        Base64URL.encode(try JSON.encode(position))
    }

    static func position<Position: Decodable>(_ text: String) throws(Problem) -> Position {
        guard text.utf8.count <= 512, let json = Base64URL.decode(text),
            let position = try? StrictJSON.decode(Position.self, bytes: json)
        else { throw Problem(.invalidCursor) }
        return position
    }
}
