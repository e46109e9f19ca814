import Kernel
import Redemption

/// The file that a partner sends once a day: what it did with our orders.
///
/// ```
/// order;status;units;reference
/// 0193…;credited;4000;S7-77812
/// 0193…;rejected;0;account-closed
/// ```
struct DailyFile: Hashable, Sendable {
    static let header = "order;status;units;reference"
    static let linesMax = 100_000

    struct Line: Hashable, Sendable {
        let order: Exchange.ID
        let status: PartnerStatus
        let units: Int64
        /// Of a rejected order why it was, in kebab case.
        let reference: String?
    }

    let lines: [Line]

    /// Nothing of a file with a bad line is taken.
    struct Malformed: Error, Hashable {
        /// From 1.
        let line: Int
    }

    /// - Throws: ``Malformed``.
    init(_ text: String) throws(Malformed) {
        var lines: [Line] = []
        var orders: Set<Exchange.ID> = []
        let texts = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        guard let first = texts.first, first == Self.header else { throw Malformed(line: 1) }
        for (number, text) in texts.enumerated().dropFirst() {
            if text.isEmpty, number == texts.count - 1 { break }
            guard lines.count < Self.linesMax, let line = Self.line(text), orders.insert(line.order).inserted else {
                throw Malformed(line: number + 1)
            }
            lines.append(line)
        }
        self.lines = lines
    }

    private static func line(_ text: Substring) -> Line? {
        let fields = text.split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count == 4, let order = Exchange.ID(String(fields[0])),
            let status = PartnerStatus(rawValue: String(fields[1])), let units = Int64(fields[2]), units >= 0,
            let reference = PartnerText.reference(String(fields[3]))
        else { return nil }
        return Line(order: order, status: status, units: units, reference: reference.isEmpty ? nil : reference)
    }
}

/// What a partner says of an order, in its file, its answers and its webhooks.
enum PartnerStatus: String, Codable, Hashable, Sendable {
    case accepted, credited, rejected, pending

    /// What it means for the redemption.
    func answer(reference: String?, reason: String?) -> FulfilmentAnswer {
        switch self {
        case .accepted: .accepted(reference: reference)
        case .credited: .credited(reference: reference)
        case .rejected: .rejected(reason: reason ?? "rejected-by-partner")
        case .pending: .pending
        }
    }
}

/// Texts from outside that are kept and shown: short and harmless, or not taken.
enum PartnerText {
    /// Whether a text can be the name of a partner or an offer. Nothing else is looked for.
    static func isName(_ text: String) -> Bool {
        1...48 ~= text.utf8.count
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// What a partner calls an order; nil when it is no such text.
    static func reference(_ text: String) -> String? {
        let allowed = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/")].contains(byte)
        }
        return text.utf8.count <= 64 && allowed ? text : nil
    }

    /// A partner's reason as it is kept: kebab case, or the general one.
    static func reason(_ text: String?) -> String {
        guard let text, 1...48 ~= text.utf8.count,
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        else { return "rejected-by-partner" }
        return text
    }
}
