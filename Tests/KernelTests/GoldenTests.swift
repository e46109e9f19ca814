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
                "auth.enrol-members", "auth.request-step-up", "auth.confirm-step-up",
                "ledger.place-hold", "ledger.capture-hold", "ledger.void-hold",
                "ledger.make-transfer", "ledger.open-purpose",
                "ledger.open-sticker-campaign",
            ])
    }

    @Test func `the golden receipt means what it says`() throws {
        let receipt = try JSONDecoder().decode(PostReceipt.self, from: Self.golden("ledger.post-receipt.v1"))
        #expect(receipt.total.amount == 123_450)
        #expect(receipt.effectiveAt.description == "2026-11-23T10:00:00.250000Z")
        #expect(receipt.accruals.map { $0.points.amount } == [123, 50])
        #expect(receipt.accruals.map(\.lotClass) == [.regular, .promotional])
    }

    /// Every kind of transfer reads back as itself, whatever fields it has.
    @Test(arguments: Transfer.Kind.allCases)
    func `a transfer is read as what it was written`(kind: Transfer.Kind) throws {
        let transfer = try Self.transfer(kind)
        #expect(transfer.kind == kind)
        let text = try JSONEncoder().encode(transfer)
        #expect(try JSONDecoder().decode(Transfer.self, from: text) == transfer)
    }

    private static func transfer(_ kind: Transfer.Kind) throws -> Transfer {
        let member = Member.ID(UUID())
        let (hold, id, staff) = (Hold.ID(UUID()), LedgerTransfer.ID(UUID()), Staff.ID(UUID()))
        let points = try #require(Points(5))
        let kopecks = try #require(Kopecks(20_000))
        let moment = Timestamp(secondsSince1970: 1_700_000_000)
        switch kind {
        case .earn:
            return .earn(try JSONDecoder().decode(PostReceipt.self, from: Self.golden("ledger.post-receipt.v1")))
        case .hold:
            return .hold(
                PlaceHold(hold: hold, member: member, points: points, purpose: .partner("s7"), expiresInSeconds: 60))
        case .capture: return .capture(CaptureHold(part: id, of: hold, member: member, points: points, worth: kopecks))
        case .void: return .void(VoidHold(hold: hold, member: member))
        case .return:
            return .return(
                ReturnGoods(
                    id: id, member: member, receipt: Receipt.ID(UUID()), lines: [.init(sum: kopecks, earned: points)],
                    holds: [hold], returned: [.init(line: 1, sum: kopecks)], effectiveAt: moment))
        case .expire: return .expire(ExpireMember(member: member))
        case .stickers:
            return .stickers(MoveStickers(id: id, member: member, campaign: "plates", count: -3, subject: id))
        case .settle: return .settle(SettleExchange(id: id, member: member, hold: hold))
        case .payOut: return .payOut(PayOut(id: id, purpose: .charity("line-of-life"), until: moment))
        case .issueCertificate:
            return .issueCertificate(IssueCertificate(id: id, member: member, kopecks: kopecks, hold: hold))
        case .redeemCertificate:
            return .redeemCertificate(
                RedeemCertificate(id: id, member: member, certificate: id, kopecks: kopecks))
        case .expireCertificate:
            return .expireCertificate(ExpireCertificate(id: id, member: member, certificate: id))
        case .requestAdjustment:
            return .requestAdjustment(
                RequestAdjustment(
                    id: id, member: member, points: -5, cause: .correction, maker: staff, ticket: "T-1", reason: "twice"
                ))
        case .decideAdjustment:
            return .decideAdjustment(
                DecideAdjustment(id: id, member: member, adjustment: id, checker: staff, approves: true))
        case .merge: return .merge(MergeMembers(id: id, source: Member.ID(UUID()), member: member))
        case .reverse:
            return .reverse(
                ReverseTransaction(id: id, member: member, reverses: LedgerTransaction.ID(UUID())))
        }
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
