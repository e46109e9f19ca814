/// A parsed JSON text. Numbers stay text until somebody says which type they are to be.
enum JSONValue {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// For error messages.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A JSON object that remembers which of its members were asked for. Lives within one decoding.
final class JSONObject {
    let members: [String: JSONValue]
    private(set) var used: Set<String> = []

    init(members: [String: JSONValue]) {
        self.members = members
    }

    subscript(name: String) -> JSONValue? {
        self.used.insert(name)
        return self.members[name]
    }
}

extension JSONValue {
    /// JSON Pointers (RFC 6901) to the members that nobody asked for, in order of their names, at most `limit`.
    func unusedMembers(below pointer: JSONPointer = .root, limit: Int) -> [JSONPointer] {
        var unused: [JSONPointer] = []
        switch self {
        case .null, .bool, .number, .string:
            break
        case .array(let elements):
            for (index, element) in elements.enumerated() where unused.count < limit {
                unused += element.unusedMembers(below: pointer.appending(index), limit: limit - unused.count)
            }
        case .object(let object):
            for name in object.members.keys.sorted() where unused.count < limit {
                guard object.used.contains(name), let value = object.members[name] else {
                    unused.append(pointer.appending(name))
                    continue
                }
                unused += value.unusedMembers(below: pointer.appending(name), limit: limit - unused.count)
            }
        }
        return unused
    }
}

/// A JSON Pointer (RFC 6901).
struct JSONPointer: Equatable {
    private(set) var text: String

    static let root = JSONPointer(text: "")

    private init(text: String) {
        self.text = text
    }

    init(path: [any CodingKey]) {
        self = path.reduce(.root) { pointer, key in
            key.intValue.map { pointer.appending($0) } ?? pointer.appending(key.stringValue)
        }
    }

    func appending(_ index: Int) -> JSONPointer {
        JSONPointer(text: "\(self.text)/\(index)")
    }

    /// The name's tilde and slash are escaped; of a very long name only the beginning is kept.
    func appending(_ name: String) -> JSONPointer {
        var escaped = ""
        for scalar in name.unicodeScalars.prefix(64) {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return JSONPointer(text: "\(self.text)/\(escaped)")
    }
}

/// A name or a position in JSON.
struct JSONKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        self.stringValue = name
        self.intValue = nil
    }

    init(index: Int) {
        self.stringValue = String(index)
        self.intValue = index
    }

    init(stringLiteral name: String) {
        self.init(name)
    }

    init?(stringValue: String) {
        self.init(stringValue)
    }

    init?(intValue: Int) {
        self.init(index: intValue)
    }
}
