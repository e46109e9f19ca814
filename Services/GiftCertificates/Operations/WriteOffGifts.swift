import Contracts
import JobQueue
import Kernel
import Logging
import Metrics
import Postgres

/// Ends certificates whose time is over, and has the ledger write off what is left on them.
///
/// The mark and the command to the ledger commit together, and the certificate's own id is the transfer's natural key: so
/// it is written off once, whatever is killed in between.
struct WriteOffGifts: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let certificates = CertificateStore()
    private let deliveries = DeliveryStore()
    private let rests = WriteOffStore()
    private let writtenOff = Counter(label: "gift_certificates_written_off_kopecks_total")

    /// Certificates in one transaction.
    private static let chunk = 50

    init(database: Database, bus: Bus, clock: any WallClock) {
        (self.database, self.bus, self.clock) = (database, bus, clock)
    }

    /// - Returns: of how many the ledger was told.
    @discardableResult
    func callAsFunction() async throws -> Int {
        _ = try await self.deliveries.expire(at: self.clock.now, in: self.database)
        var total = 0
        while true {
            let count = try await self.database.transaction { transaction in try await self.send(in: transaction) }
            total += count
            guard count == Self.chunk else { return total }
        }
    }

    private func send(in transaction: borrowing Transaction) async throws -> Int {
        let due = try await self.rests.due(limit: Self.chunk, in: transaction)
        for id in due {
            guard let certificate = try await self.certificates.find(id, in: transaction) else { continue }
            try await self.rests.markSent(id, at: self.clock.now, in: transaction)
            guard let issue = certificate.payment else {
                // Nothing else makes such a row; it must not keep the others from being seen to.
                Logger.current.error("An expired gift was never issued", metadata: ["gift.certificate": "\(id)"])
                continue
            }
            let recipe = ExpireCertificate(
                id: LedgerTransfer.ID(id.raw), member: certificate.holder ?? certificate.buyer,
                certificate: LedgerTransfer.ID(issue.raw))
            try await self.bus.send(PostTransfer(.expireCertificate(recipe)), in: transaction)
        }
        return due.count
    }

    /// What the ledger has said; to what is none of ours nothing.
    func hear(
        _ recipe: ExpireCertificate, _ outcome: TransferOutcome, in transaction: borrowing Transaction
    ) async throws {
        let id = GiftCertificate.ID(recipe.id.raw)
        switch outcome {
        case .done(let result):
            if try await self.rests.done(id, at: self.clock.now, in: transaction) {
                self.writtenOff.increment(by: result.kopecks?.amount ?? 0)
            }
        case .refused(let code):
            if try await self.rests.refused(id, code.rawValue, at: self.clock.now, in: transaction) {
                Logger.current.error(
                    "The ledger does not write off what is left on a gift",
                    metadata: ["gift.certificate": "\(id)", "gift.refusal": "\(code.rawValue)"])
            }
        }
    }
}
