public import Kernel

/// A member's account over a period: what there was, what happened, what there is.
///
/// The period is one of the time of recording, as with a bank: only so do the lines lead from one balance to the other.
/// Each line says when it happened as well.
public struct Statement: Hashable, Sendable {
    /// Whose.
    public let member: Member.ID
    /// From this moment on; the beginning of time for a statement over everything.
    public let from: Timestamp
    /// Up to this moment, which is not in it.
    public let to: Timestamp
    /// What there was at the beginning.
    public let opening: PastBalance
    /// What there was at the end.
    public let closing: PastBalance
    /// What happened in between, the earliest first.
    let lines: [FeedLine]

    /// How many lines there are.
    public var count: Int { self.lines.count }

    /// By how much the available balance rose in all the lines in which it rose.
    var came: Int64 { self.lines.reduce(0) { $0 + max(0, $1.change) } }

    /// By how much it fell in the others; zero or below.
    var went: Int64 { self.lines.reduce(0) { $0 + min(0, $1.change) } }

    /// Whether the lines lead from the opening to the closing balance.
    var isConsistent: Bool { self.opening.available + self.came + self.went == self.closing.available }
}

/// More lines than a statement has room for.
public struct StatementTooLong: Error, Sendable {
    /// The most.
    public let limit: Int
}

extension FeedLine {
    /// What it is called in a statement.
    var russianName: String { Self.russianNames[self.kind.rawValue] ?? self.kind.rawValue }

    private static let russianNames = [
        "earn": "Начисление", "hold": "Резерв", "capture": "Списание", "void": "Возврат резерва", "expire": "Сгорание",
        "mature": "Баллы стали доступны", "return": "Возврат товара", "adjust": "Корректировка",
        "merge": "Объединение карт", "reverse": "Отмена операции", "settle": "Расчёт с партнёром",
        "sticker": "Наклейки", "certificate": "Подарочный сертификат",
    ]

    /// What it comes from: the shop or the purpose.
    var origin: String { self.receipt?.store ?? self.hold?.purpose ?? "" }
}
