internal import Kernel

/// A number of points and what they are worth.
struct AmountBody: Encodable, Sendable {
    let points: Int64
    let kopecks: Int64

    init(_ points: Points, _ rate: ExchangeRate) {
        self.points = points.amount
        self.kopecks = rate.worth(points).amount
    }

    /// A change, below zero when points go.
    init(change: Int64, _ rate: ExchangeRate) {
        let worth = rate.worth(Points(change.magnitude < UInt64(Int64.max) ? abs(change) : .max) ?? .zero).amount
        self.points = change
        self.kopecks = change < 0 ? -worth : worth
    }
}

/// `GET /v1/balance`.
struct BalanceBody: Encodable, Sendable {
    let available: AmountBody
    let pending: AmountBody
    let held: AmountBody
    let debt: AmountBody
    let expiringNext: LotDayBody?
    let holds: [OpenHoldBody]
    let maturing: [MaturingBody]

    struct MaturingBody: Encodable, Sendable {
        let maturesAt: Timestamp
        let amount: AmountBody
    }

    init(_ balance: Balance, _ rate: ExchangeRate) {
        self.available = AmountBody(balance.available, rate)
        self.pending = AmountBody(balance.pending, rate)
        self.held = AmountBody(balance.held, rate)
        self.debt = AmountBody(balance.debt, rate)
        self.expiringNext = balance.expiringNext.map { LotDayBody($0, rate) }
        self.holds = balance.holds.map { OpenHoldBody($0, rate) }
        self.maturing = balance.maturing.map {
            MaturingBody(maturesAt: $0.maturesAt, amount: AmountBody($0.points, rate))
        }
    }
}

/// A hold that reserves points.
struct OpenHoldBody: Encodable, Sendable {
    let id: Hold.ID
    let purpose: String
    let amount: AmountBody
    let placedAt: Timestamp
    let expiresAt: Timestamp

    init(_ hold: OpenHold, _ rate: ExchangeRate) {
        self.id = hold.id
        self.purpose = hold.purpose
        self.amount = AmountBody(hold.points, rate)
        self.placedAt = hold.placedAt
        self.expiresAt = hold.expiresAt
    }
}

/// `GET /v1/balance/at`.
struct PastBalanceBody: Encodable, Sendable {
    let moment: Timestamp
    let by: PastBalance.Basis
    let available: AmountBody
    let pending: AmountBody
    let held: AmountBody
    let debt: AmountBody

    init(_ balance: PastBalance, at moment: Timestamp, by basis: PastBalance.Basis, _ rate: ExchangeRate) {
        self.moment = moment
        self.by = basis
        self.available = AmountBody(change: balance.available, rate)
        self.pending = AmountBody(change: balance.pending, rate)
        self.held = AmountBody(change: balance.held, rate)
        self.debt = AmountBody(change: balance.debt, rate)
    }
}

/// Points that expire at the same moment.
struct LotDayBody: Encodable, Sendable {
    let expiresAt: Timestamp
    let amount: AmountBody
    let classes: [ClassBody]

    struct ClassBody: Encodable, Sendable {
        let lotClass: String
        let amount: AmountBody
    }

    init(_ day: LotDay, _ rate: ExchangeRate) {
        self.expiresAt = day.expiresAt
        self.amount = AmountBody(day.points, rate)
        self.classes = day.classes.map { ClassBody(lotClass: $0.lotClass, amount: AmountBody($0.points, rate)) }
    }
}

/// `GET /v1/lots`.
struct LotsBody: Encodable, Sendable {
    let total: AmountBody
    let days: [LotDayBody]

    init(_ days: [LotDay], _ rate: ExchangeRate) {
        self.total = AmountBody(days.reduce(Points.zero) { $0.adding($1.points) ?? $0 }, rate)
        self.days = days.map { LotDayBody($0, rate) }
    }
}

/// A line of `GET /v1/feed`, and `GET /v1/transactions/{id}`.
struct FeedLineBody: Encodable, Sendable {
    let id: LedgerTransaction.ID
    let number: Int64
    let kind: TransactionKind
    let direction: FeedDirection
    let effectiveAt: Timestamp
    let recordedAt: Timestamp
    let amount: AmountBody
    let change: AmountBody
    let availableAfter: AmountBody
    let receipt: ReceiptBody?
    let hold: HoldBody?
    let movements: [MovementBody]

    struct ReceiptBody: Encodable, Sendable {
        let id: Receipt.ID
        let store: String
        let totalKopecks: Int64
    }

    struct HoldBody: Encodable, Sendable {
        let id: Hold.ID
        let purpose: String
    }

    struct MovementBody: Encodable, Sendable {
        let from: String
        let to: String
        let amount: AmountBody
        let rule: String?
        let lot: FeedLot?
    }

    init(_ line: FeedLine, _ rate: ExchangeRate) {
        self.id = line.id
        self.number = line.version
        self.kind = line.kind
        self.direction = line.direction
        self.effectiveAt = line.effectiveAt
        self.recordedAt = line.recordedAt
        self.amount = AmountBody(line.points, rate)
        self.change = AmountBody(change: line.change, rate)
        self.availableAfter = AmountBody(line.availableAfter, rate)
        self.receipt = line.receipt.map { ReceiptBody(id: $0.id, store: $0.store, totalKopecks: $0.total.amount) }
        self.hold = line.hold.map { HoldBody(id: $0.id, purpose: $0.purpose) }
        self.movements = line.movements.map {
            MovementBody(from: $0.from, to: $0.to, amount: AmountBody($0.points, rate), rule: $0.rule, lot: $0.lot)
        }
    }
}
