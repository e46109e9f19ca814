import Kernel

@testable import Promotions

/// Valid things with defaults: a test names only what it is about.
enum Make {
    /// 23 November 2026, noon in Moscow.
    static let noon = Timestamp(secondsSince1970: 1_795_424_400)

    static func line(
        _ position: Int32 = 1, sku: String = "3432217", sum: Int64 = 10_000, category: String? = nil,
        tags: [String] = []
    ) -> ReceiptLine {
        ReceiptLine(
            position: position, sku: sku, category: category, quantity: Quantity(thousandths: 1000) ?? .zero,
            price: Kopecks(sum) ?? .zero, discount: .zero, sum: Kopecks(sum) ?? .zero, tags: tags.sorted())
    }

    static func sale(
        _ lines: [ReceiptLine] = [line()], store: String = "1", at: Timestamp = noon, card: CardNumber = card()
    ) -> Sale {
        Sale(
            store: StoreID(store) ?? anyStore, at: at, card: card, lines: lines,
            total: Kopecks(lines.reduce(0) { $0 + $1.sum.amount }) ?? .zero)
    }

    static func receipt(_ document: Int64 = 1, _ sale: Sale = sale()) -> TillReceipt {
        TillReceipt(fiscal: fiscal(document), sale: sale)
    }

    static func fiscal(_ document: Int64 = 1) -> FiscalID {
        guard let fiscal = FiscalID(fn: "9999078900000001", fd: document, fpd: 1_234_567_890) else {
            preconditionFailure("fiscal documents of tests are numbered from 1")
        }
        return fiscal
    }

    /// A card with a right check digit; the same for the same number.
    static func card(_ number: UInt8 = 1) -> CardNumber {
        CardNumber.make(random: RandomBytes { count in [UInt8](repeating: number, count: count) })
    }

    static func ruleset(
        _ rules: [Rule] = [rule()], exclusions: [Exclusion] = [], percentOfTotal: Int64 = 99
    ) -> Ruleset {
        Ruleset(
            exclusions: exclusions, rules: rules,
            spending: SpendingPolicy(percentOfTotal: percentOfTotal, kopecksPerPoint: 10))
    }

    static func rule(
        _ id: String = "base", points: Int64 = 1, kopecks: Int64 = 1000, lines: LineCondition? = nil,
        window: Window? = nil, closesAt: Timestamp? = nil
    ) -> Rule {
        Rule(
            id: id, lotClass: .regular, window: window, closesAt: closesAt, lines: lines,
            effect: .earnRate(points: points, kopecks: kopecks))
    }

    static let tobacco = Exclusion(
        id: "tobacco", lines: .any([.tag(["tobacco"]), .category(["tobacco"])]), from: [.earning, .spending])

    private static var anyStore: StoreID {
        guard let store = StoreID("1") else { preconditionFailure("1 names a store") }
        return store
    }
}

extension Quantity {
    fileprivate static var zero: Quantity {
        guard let zero = Quantity(thousandths: 0) else { preconditionFailure("nothing is a quantity") }
        return zero
    }
}
