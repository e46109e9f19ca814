import Contracts
import Host
import JobQueue
import Kernel
import Logging
import Postgres
import Redemption

/// Does the next duty of a payment. Sent by this service to itself.
struct DrivePayment: RedemptionDrive {
    static let name = "gift_certificates.drive-payment"
    static let queue: QueueName = "gift_certificates.payments"

    let member: Member.ID
    let redemption: RedemptionRecord.ID
}

/// Does what is due for everybody: deliveries, gifts that got lost, what has expired or was forgotten.
struct KeepGifts: Command {
    static let name = "gift_certificates.keep"
    static let queue: QueueName = "gift_certificates.keeping"
}

/// What this service hears.
struct GiftHandlers: Sendable {
    static let queues = [
        QueueDeclaration(DrivePayment.queue, producers: ["gift_certificates"]),
        QueueDeclaration(
            KeepGifts.queue, lease: .seconds(120), slots: 1, producers: ["gift_certificates"], runningMax: 1),
        QueueDeclaration("gift_certificates.directory", producers: ["auth"]),
        QueueDeclaration("gift_certificates.notices", producers: ["auth"]),
        QueueDeclaration("gift_certificates.books", gather: .milliseconds(100), producers: ["ledger"]),
    ]

    let flow: RedemptionFlow
    let deliver: DeliverGifts
    let spend: SpendAtTill
    let claim: ClaimGift
    let intervene: Intervene
    let writeOff: WriteOffGifts
    let clock: any WallClock
    let database: Database

    var all: [Handler] {
        let keys = OnTillKeyChanged()
        return [
            self.flow.handler(of: DrivePayment.self),
            .leased(KeepGifts.self) { _, _ in try await self.keep() },
            .batch(TillKeyChanged.self, on: "gift_certificates.directory") { jobs, transaction in
                try await keys(jobs, in: transaction)
            },
            .endedSessions(of: GiftCertificatesModule.name, on: "gift_certificates.directory", clock: self.clock),
            .transactional(NotificationMoved.self, on: "gift_certificates.notices") { news, _, transaction in
                try await self.deliver.hear(news, in: transaction)
            },
            .transactional(MemberErased.self, on: "gift_certificates.notices") { news, _, transaction in
                try await CertificateStore().erase(news.member, at: self.clock.now, in: transaction)
            },
            .batch(TransferDone.self, on: "gift_certificates.books") { jobs, transaction in
                for job in jobs { try await self.hear(job.message, in: transaction) }
            },
        ]
    }

    private func keep() async throws {
        try await self.deliver.sendDue()
        try await self.deliver.tellOfLost()
        try await self.spend.lapse()
        try await self.writeOff()
        try await self.claim.forget()
        try await self.flow.sweep()
        try await PaymentStore().forget(before: self.clock.now, in: self.database)
    }

    /// What the ledger says of money that tills took, of what is left in the end, and of refunds. Everything else is others' business.
    private func hear(_ news: TransferDone, in transaction: borrowing Transaction) async throws {
        switch news.transfer {
        case .redeemCertificate(let redemption):
            let id = CertificateHold.ID(redemption.id.raw)
            let refusal: String? = if case .refused(let code) = news.outcome { code.rawValue } else { nil }
            let isOurs = try await TillStore().note(id, refusal: refusal, at: self.clock.now, in: transaction)
            if isOurs, let refusal {
                Logger.current.error(
                    "The ledger refuses what a till has taken",
                    metadata: ["gift.authorisation": "\(id)", "gift.refusal": "\(refusal)"])
            }
        case .expireCertificate(let recipe):
            try await self.writeOff.hear(recipe, news.outcome, in: transaction)
        case .reverse:
            try await self.intervene.hear(news, in: transaction)
        default:
            break
        }
    }

    static var periodic: [PeriodicJob] {
        get throws {
            [PeriodicJob("gift_certificates.keep", try .every(.seconds(20)), catchUp: .one, send: KeepGifts())]
        }
    }
}
