import Crypto
import FoundationEssentials
import Kernel
import Postgres
import Redemption

/// Takes a partner's daily file: what it says of each order is heard, and what differs becomes a work item. The same file
/// again is known by what is in it and changes nothing.
struct ImportDailyFile: Sendable {
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let hear: HearPartner
    private let partners = PartnerStore()
    private let exchanges = ExchangeStore()
    private let files = FileStore()
    private let items = WorkItemStore()

    init(database: Database, clock: any WallClock, ids: IDGenerator, hear: HearPartner) {
        (self.database, self.clock, self.ids, self.hear) = (database, clock, ids, hear)
    }

    /// What came of a file.
    struct Outcome: Sendable {
        let file: FileStore.Received
        /// Whether it was taken before.
        let isKnown: Bool
    }

    /// - Parameter day: the day in Moscow that the file is about.
    /// - Throws: ``DailyFile/Malformed``; ``ExchangeRefusal`` for an unknown partner.
    func callAsFunction(
        _ text: String, of partner: String, day: CivilDate, by staff: Staff.ID
    ) async throws -> Outcome {
        guard try await self.partners.find(partner, in: self.database) != nil else {
            throw ExchangeRefusal.unknownPartner
        }
        let file = try DailyFile(text)
        let digest = Array(SHA256.hash(data: Data(text.utf8)))
        return try await self.database.transaction { transaction in
            if let known = try await self.files.find(digest, of: partner, in: transaction) {
                return Outcome(file: known, isKnown: true)
            }
            var received = FileStore.Received(
                partner: partner, digest: digest, day: day, lines: Int32(file.lines.count), applied: 0, differences: 0)
            for line in file.lines.sorted(by: { $0.order < $1.order }) {
                try await self.take(line, of: partner, &received, in: transaction)
            }
            try await self.findMissing(file, &received, in: transaction)
            try await self.files.insert(received, by: staff, at: self.clock.now, in: transaction)
            return Outcome(file: received, isKnown: false)
        }
    }

    private func take(
        _ line: DailyFile.Line, of partner: String, _ received: inout FileStore.Received,
        in transaction: borrowing Transaction
    ) async throws {
        guard let order = try await self.exchanges.find(line.order, at: partner, in: transaction) else {
            return try await self.note(
                .unknownOrder, line.order, nil, "\(line.status.rawValue), \(line.units)", &received, in: transaction)
        }
        // A credit of another amount is not taken for ours: a person finds out what the member has got.
        if line.status == .credited, line.units != order.units {
            return try await self.note(
                .otherUnits, line.order, order.member, "\(order.units), \(line.units)", &received, in: transaction)
        }
        let answer = line.status.answer(
            reference: line.reference, reason: PartnerText.reason(line.reference))
        switch try await self.hear(answer, about: line.order, from: partner, in: transaction) {
        case .taken(let moved): received.applied += moved ? 1 : 0
        case .contradiction, .unknownOrder: received.differences += 1
        }
    }

    /// What we have as credited on that day, and the file has not.
    private func findMissing(
        _ file: DailyFile, _ received: inout FileStore.Received, in transaction: borrowing Transaction
    ) async throws {
        let midnight = MoscowDay.start(of: received.day)
        let ours = try await self.exchanges.credited(
            at: received.partner, from: midnight, to: midnight + .seconds(86_400), in: transaction)
        let theirs = Set(file.lines.map(\.order))
        for order in ours where !theirs.contains(order.id) {
            try await self.note(
                .missingAtPartner, order.id, order.member, "\(order.units)", &received, in: transaction)
        }
    }

    private func note(
        _ kind: WorkItem.Kind, _ order: Exchange.ID, _ member: Member.ID?, _ detail: String,
        _ received: inout FileStore.Received, in transaction: borrowing Transaction
    ) async throws {
        received.differences += 1
        try await self.items.open(
            WorkItem(
                id: self.ids.next(), kind: kind, partner: received.partner, subject: "\(order)", member: member,
                exchange: member == nil ? nil : order, detail: detail, openedAt: self.clock.now), in: transaction)
    }
}

/// Days as the programme counts them: Moscow has been three hours ahead of UTC since 2014, without summer time.
enum MoscowDay {
    static func start(of day: CivilDate) -> Timestamp {
        Timestamp(secondsSince1970: day.daysSince1970 * 86_400 - 3 * 3600)
    }
}
