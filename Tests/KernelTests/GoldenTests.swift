import Contracts
import FoundationEssentials
import Kernel
import Testing

/// Jobs outlive upgrades: what was written by an older version must be readable, and mean the same, for ever. A golden
/// file that stops passing is not to be edited; the message gets a new version and a file of its own.
@Suite struct GoldenTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    private static func golden(_ name: String) throws -> Data {
        try Data(contentsOf: Self.folder.appending(path: name + ".json"))
    }

    private static func files() throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).map {
                $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0
            })
    }

    /// Decodes, encodes, and gives the text: equal to the file unless a field was lost, added or written otherwise.
    private static func roundTrip<Value: Codable>(_: Value.Type, _ golden: Data) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let value = try JSONDecoder().decode(Value.self, from: golden)
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    private static func replies<C: Call>(
        of call: C.Type, _ stem: String, in files: Set<String>
    ) throws -> [(name: String, text: String)] {
        try files.filter { $0.hasPrefix(stem + ".reply") }.map {
            (name: $0, text: try Self.roundTrip(C.Reply.self, Self.golden($0)))
        }
    }

    @Test func `every message is read from its golden file and written back to it`() throws {
        for message in Catalogue.messages {
            let stem = "\(message.name).v\(message.version)"
            let golden = try Self.golden(stem)
            #expect(try Self.roundTrip(message, golden) == String(decoding: golden, as: UTF8.self))
        }
    }

    @Test func `every reply is read from its golden files and written back to them`() throws {
        let files = try Self.files()
        for message in Catalogue.messages {
            guard let call = message as? any Call.Type else { continue }
            let replies = try Self.replies(of: call, "\(call.name).v\(call.version)", in: files)
            #expect(!replies.isEmpty, "no golden reply of \(call.name)")
            for reply in replies {
                #expect(reply.text == String(decoding: try Self.golden(reply.name), as: UTF8.self))
            }
        }
    }

    @Test func `every golden file belongs to a message of the catalogue`() throws {
        let stems = Catalogue.messages.map { "\($0.name).v\($0.version)" }
        for file in try Self.files() {
            #expect(stems.contains { file == $0 || file.hasPrefix($0 + ".reply") }, "whose is \(file)?")
        }
    }

    @Test func `no two messages have the same name and version`() {
        #expect(Set(Catalogue.messages.map { "\($0.name).v\($0.version)" }).count == Catalogue.messages.count)
    }

    @Test func `a command goes to a queue of the service that its name begins with`() {
        for message in Catalogue.messages {
            guard let command = message as? any Command.Type else { continue }
            #expect(command.name.hasPrefix(command.queue.service.text + "."))
        }
    }

    @Test func `what only asks is volatile, and what changes something is durable`() {
        let durable = Catalogue.messages.compactMap { $0 as? any Call.Type }.filter { $0.durability == .durable }
        #expect(
            Set(durable.map { $0.name }) == [
                "auth.enrol-members", "ledger.place-hold", "ledger.capture-hold", "ledger.void-hold",
            ])
    }

    @Test func `the golden receipt means what it says`() throws {
        let receipt = try JSONDecoder().decode(PostReceipt.self, from: Self.golden("ledger.post-receipt.v1"))
        #expect(receipt.total.amount == 123_450)
        #expect(receipt.effectiveAt.description == "2026-11-23T10:00:00.250000Z")
        #expect(receipt.accruals.map { $0.points.amount } == [123, 50])
        #expect(receipt.accruals.map(\.lotClass) == [.regular, .promotional])
    }

    @Test func `an unknown refusal or status is an error, not a guess`() {
        for json in [
            #"{"status": "refused", "code": "because"}"#, #"{"status": "perhaps"}"#, #"{"code": "unknown-hold"}"#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(VoidHold.Reply.self, from: Data(json.utf8))
            }
        }
    }
}
