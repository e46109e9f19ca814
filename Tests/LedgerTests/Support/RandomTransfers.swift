import Contracts
import Kernel
import TestSupport

@testable import Ledger

/// Makes transfers of every daily kind over a few members: many that can be done, some that must be refused, some that
/// come twice. The same seed makes the same transfers, for other members as well.
struct RandomTransfers {
    private let books: Books
    private let members: [Member.ID]
    private var random: Dice
    private var holds: [(id: Hold.ID, member: Member.ID)] = []
    private var sales: [(id: Receipt.ID, member: Member.ID)] = []
    private var past: [Transfer] = []
    /// Whether cards are made one: then what is done to one of them reaches over to another.
    var isMerging = false

    static let campaign = "plates"
    private static let lines: [Int64] = [1000, 2500, 333]

    init(_ books: Books, _ members: [Member.ID], seed: UInt64) {
        (self.books, self.members) = (books, members)
        self.random = Dice(seed: seed)
    }

    mutating func batch(of size: Int) throws -> [Transfer] {
        try (0..<size).map { _ in
            let transfer = try self.next()
            self.past.append(transfer)
            return transfer
        }
    }

    private mutating func next() throws -> Transfer {
        guard let member = self.members.randomElement(using: &self.random) else { throw NoMembers() }
        switch Int.random(in: 0..<20, using: &self.random) {
        case 0...4: return try self.sale(of: member)
        case 5...8: return self.hold(of: member)
        case 9...11: return self.capture()
        case 12: return self.part()
        case 13: return self.void()
        case 14...15: return try self.goods()
        case 16: return self.stickers(of: member)
        case 17: return .expire(ExpireMember(member: member))
        case 18: return .redeemCertificate(self.redemption(of: member))
        default:
            if self.isMerging, Bool.random(using: &self.random) { return self.merge(member) }
            return self.past.randomElement(using: &self.random) ?? .expire(ExpireMember(member: member))
        }
    }

    private struct NoMembers: Error {}

    private mutating func merge(_ member: Member.ID) -> Transfer {
        let source = self.members.randomElement(using: &self.random) ?? member
        return .merge(MergeMembers(id: self.books.transferID(), source: source, member: member))
    }

    private mutating func amount(_ range: ClosedRange<Int64>) -> Points {
        Points(Int64.random(in: range, using: &self.random)) ?? .zero
    }

    private mutating func sale(of member: Member.ID) throws -> Transfer {
        var accruals = [PostReceipt.Accrual(lotClass: .regular, points: self.amount(0...300), rule: "base")]
        if Bool.random(using: &self.random) {
            accruals.append(
                .init(
                    lotClass: .promotional, points: self.amount(0...90), rule: "week",
                    maturesAt: Bool.random(using: &self.random) ? self.books.clock.now + .seconds(86_400) : nil))
        }
        let receipt = try self.books.receipt(of: member, accruals)
        self.sales.append((receipt.receipt, member))
        return .earn(receipt)
    }

    private mutating func hold(of member: Member.ID) -> Transfer {
        let id: Hold.ID = self.books.ids.next()
        self.holds.append((id, member))
        return .hold(
            PlaceHold(
                hold: id, member: member, points: self.amount(1...250),
                purpose: Bool.random(using: &self.random) ? .till : .partner("s7"),
                expiresInSeconds: Int64.random(in: 60...(40 * 86_400), using: &self.random)))
    }

    private mutating func anyHold() -> (id: Hold.ID, member: Member.ID) {
        self.holds.randomElement(using: &self.random) ?? (self.books.ids.next(), self.members[0])
    }

    private mutating func capture() -> Transfer {
        let (hold, member) = self.anyHold()
        let points = Bool.random(using: &self.random) ? nil : self.amount(1...200)
        return .capture(CaptureHold(hold: hold, member: member, points: points))
    }

    private mutating func part() -> Transfer {
        let (hold, member) = self.anyHold()
        return .capture(
            CaptureHold(part: self.books.transferID(), of: hold, member: member, points: self.amount(1...120)))
    }

    private mutating func void() -> Transfer {
        let (hold, member) = self.anyHold()
        return .void(VoidHold(hold: hold, member: member))
    }

    private mutating func goods() throws -> Transfer {
        guard let sale = self.sales.randomElement(using: &self.random) else {
            return self.stickers(of: self.members[0])
        }
        let line = Int32.random(in: 1...3, using: &self.random)
        let sum = Int64.random(in: 1...Self.lines[Int(line) - 1], using: &self.random)
        return try self.books.goods(of: sale.member, sale.id, lines: Self.lines, back: [(line, sum)])
    }

    private mutating func stickers(of member: Member.ID) -> Transfer {
        .stickers(
            MoveStickers(
                id: self.books.transferID(), member: member, campaign: Self.campaign,
                count: Int64.random(in: 1...4, using: &self.random) * (Bool.random(using: &self.random) ? 1 : -1)))
    }

    /// One for each member; or fewer, which they share: whoever redeems one locks what others want as well.
    var certificates: [LedgerTransfer.ID] = []

    private mutating func redemption(of member: Member.ID) -> RedeemCertificate {
        var certificate = self.certificates.randomElement(using: &self.random)
        if self.certificates.count == self.members.count, let index = self.members.firstIndex(of: member) {
            certificate = self.certificates[index]
        }
        return RedeemCertificate(
            id: self.books.transferID(), member: member, certificate: certificate ?? self.books.transferID(),
            kopecks: Kopecks(Int64.random(in: 1...900, using: &self.random)) ?? .zero)
    }
}
