import Contracts
import JobQueue
import Kernel
import Logging
import Metrics
import Postgres

/// Brings gifts to their recipients at their hour, hears how they fare, and tells the giver when one does not arrive.
///
/// Any number of processes may look for due gifts at once: each takes rows that nobody has locked. The step and the
/// command to the notifier commit together, and the notice's id keeps a gift from being told of twice.
struct DeliverGifts: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let ids: IDGenerator
    private let sealer: GiftSealer
    /// What links begin with.
    private let linkBase: String
    private let certificates = CertificateStore()
    private let deliveries = DeliveryStore()
    private let undelivered = Counter(label: "gift_certificates_undelivered_total")

    /// Gifts in one transaction.
    private static let chunk = 50
    /// After so long without a word the giver is told.
    static let patience = Duration.seconds(86_400)

    init(
        database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, sealer: GiftSealer, linkBase: String
    ) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
        (self.sealer, self.linkBase) = (sealer, linkBase)
    }

    /// Sends everything whose hour has come.
    /// - Returns: how many.
    @discardableResult
    func sendDue() async throws -> Int {
        try await self.inChunks { transaction in
            var sent = 0
            for id in try await self.deliveries.due(at: self.clock.now, limit: Self.chunk, in: transaction) {
                guard let certificate = try await self.certificates.find(id, in: transaction) else { continue }
                if try await self.send(certificate, in: transaction) { sent += 1 }
            }
            return sent
        }
    }

    private func send(_ certificate: Certificate, in transaction: borrowing Transaction) async throws -> Bool {
        guard let recipient = try self.sealer.recipient(of: certificate),
            let link = try self.sealer.link(of: certificate), let value = FaceValue(certificate.faceValue)
        else {
            // Nothing else makes such a row; it must not keep the others from their recipients.
            Logger.current.error("A gift has no address", metadata: ["gift.certificate": "\(certificate.id)"])
            return false
        }
        let to: Notify.Recipient
        switch (recipient.phone, recipient.email) {
        case (let phone?, _): to = .phone(phone)
        case (_, let email?): to = .email(email)
        case (nil, nil): to = .member(certificate.buyer)
        }
        let giver = try self.sealer.words(of: certificate)?.from ?? ""
        let texts = GiftMessages.gift(value, from: giver, link: self.linkBase + link.text)
        let notice: Notice.ID = self.ids.next()
        try await self.deliveries.send(certificate.id, notice: notice, at: self.clock.now, in: transaction)
        try await self.bus.send(
            Notify(
                id: notice, recipient: to, purpose: .service, channels: recipient.way == .email ? [.email] : [.sms],
                russian: texts.russian, english: texts.english, isHourChosen: true),
            in: transaction)
        return true
    }

    /// What became of a notice; of one that carries no gift nothing.
    func hear(_ news: NotificationMoved, in transaction: borrowing Transaction) async throws {
        guard let id = try await self.deliveries.carried(by: news.id, in: transaction),
            let certificate = try await self.certificates.find(id, in: transaction)
        else { return }
        switch news.state {
        case .delivered:
            try await self.deliveries.arrive(id, at: news.at, in: transaction)
        case .sent where certificate.way == .email:
            // That the recipient's mail server has taken it is all that mail can say.
            try await self.deliveries.arrive(id, at: news.at, in: transaction)
        case .sent:
            break
        case .undelivered, .suppressed:
            guard certificate.state == .delivering, certificate.undeliveredAt == nil else { return }
            try await self.tellGiver(of: certificate, in: transaction)
        }
    }

    /// Tells the givers of what has been on its way for a day.
    @discardableResult
    func tellOfLost() async throws -> Int {
        try await self.inChunks { transaction in
            let lost = try await self.deliveries.lost(
                since: self.clock.now - Self.patience, limit: Self.chunk, in: transaction)
            for id in lost {
                guard let certificate = try await self.certificates.find(id, in: transaction) else { continue }
                try await self.tellGiver(of: certificate, in: transaction)
            }
            return lost.count
        }
    }

    private func tellGiver(of certificate: Certificate, in transaction: borrowing Transaction) async throws {
        let hint = try self.sealer.recipient(of: certificate)?.hint ?? ""
        let texts = GiftMessages.undelivered(to: hint)
        let undelivered = self.undelivered
        transaction.afterCommit { undelivered.increment() }
        try await self.deliveries.markUndelivered(certificate.id, at: self.clock.now, in: transaction)
        try await self.bus.send(
            Notify(
                id: self.ids.next(), recipient: .member(certificate.buyer), purpose: .service,
                channels: [.push, .email, .sms], russian: texts.russian, english: texts.english),
            in: transaction)
    }

    private func inChunks(_ body: (borrowing Transaction) async throws -> Int) async throws -> Int {
        var total = 0
        while true {
            let count = try await self.database.transaction { transaction in try await body(transaction) }
            total += count
            guard count == Self.chunk else { return total }
        }
    }
}
