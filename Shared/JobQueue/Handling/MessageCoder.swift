internal import FoundationEssentials

/// Messages are JSON. Foundation's errors may quote the message, so they stop here.
enum MessageCoder {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw JobFailure.permanent("unwritable-message")
        }
    }

    /// - Throws: `JobFailure.permanent`: reading it again will not help.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw JobFailure.permanent("unreadable-message")
        }
    }
}
