import Contracts
import JobQueue
import Kernel
import Postgres
import Redemption

/// Pays for a draft with points: a code by SMS, then the points, then the certificate.
struct PayForGift: Sendable {
    private let database: Database
    private let flow: RedemptionFlow
    private let clock: any WallClock
    private let ids: IDGenerator
    private let sealer: GiftSealer
    private let certificates = CertificateStore()
    private let payments = PaymentStore()

    /// How long the giver has to type the code.
    private static let quoteLifetime = Duration.seconds(600)

    init(database: Database, flow: RedemptionFlow, clock: any WallClock, ids: IDGenerator, sealer: GiftSealer) {
        (self.database, self.flow, self.clock) = (database, flow, clock)
        (self.ids, self.sealer) = (ids, sealer)
    }

    /// Begins, or goes on with what was begun, and has the code sent.
    ///
    /// - Throws: ``GiftRefusal``, `RedemptionRefusal`.
    func requestCode(
        for id: GiftCertificate.ID, by member: Member.ID, again: Bool
    ) async throws -> (points: Points, reply: RequestStepUp.Reply) {
        let record = try await self.database.transaction { transaction in
            try await self.begin(id, by: member, in: transaction)
        }
        let reply = try await self.flow.requestCode(for: record.id, of: member, again: again)
        return (record.points, reply)
    }

    private func begin(
        _ id: GiftCertificate.ID, by member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> RedemptionRecord {
        guard let certificate = try await self.certificates.lock(id, in: transaction), certificate.buyer == member
        else {
            throw GiftRefusal.unknown
        }
        guard certificate.state == .draft else { throw GiftRefusal.wrongState(certificate.state) }
        if let payment = certificate.payment {
            let known = try await self.flow.store.find(
                RedemptionRecord.ID(payment.raw), of: member, in: transaction)
            if let known { return known }
        }
        guard let value = FaceValue(certificate.faceValue) else { throw GiftRefusal.unknown }
        let now = self.clock.now
        guard try await self.payments.hasRoom(for: value.kopecks, of: member, on: now, in: transaction) else {
            throw GiftRefusal.dayLimit
        }
        let recipient = try self.sealer.recipient(of: certificate)
        let payment: Certificate.LedgerIssue = self.ids.next()
        try await self.payments.begin(payment, of: id, at: now, in: transaction)
        return try await self.flow.open(
            NewRedemption(
                id: RedemptionRecord.ID(payment.raw), member: member, purpose: .certificate, points: value.points,
                worth: value.kopecks, target: "\(value.roubles) ₽: \(recipient?.hint ?? "")",
                quotedUntil: now + Self.quoteLifetime),
            in: transaction)
    }

    /// Confirms by the code. When this returns, the certificate is paid, or will be by itself.
    ///
    /// - Throws: ``GiftRefusal``, `RedemptionRefusal`.
    func confirm(_ id: GiftCertificate.ID, by member: Member.ID, code: String) async throws -> Certificate {
        guard let certificate = try await self.certificates.find(id, in: self.database), certificate.buyer == member
        else { throw GiftRefusal.unknown }
        guard let payment = certificate.payment else {
            guard certificate.state == .draft else { throw GiftRefusal.wrongState(certificate.state) }
            throw GiftRefusal.notPaidFor
        }
        guard certificate.state == .draft else { return certificate }
        let redemption = RedemptionRecord.ID(payment.raw)
        do {
            _ = try await self.flow.confirm(redemption, of: member, code: code)
        } catch let refusal as RedemptionRefusal {
            // The points are too few: when the giver hears it, the draft can be changed or paid for again.
            if case .hold = refusal {
                _ = try await self.follow(redemption, of: member, certificate: id) { $0.payment == nil }
            }
            throw refusal
        }
        let ended = try await self.follow(redemption, of: member, certificate: id) {
            $0.state != .draft || $0.payment == nil
        }
        guard let ended else { throw RedemptionRefusal.undecided }
        guard ended.state == .draft else { return ended }
        // The job was the one that the ledger has told.
        let reason = try await self.flow.store.find(redemption, of: member, in: self.database)?.reason
        throw RedemptionRefusal.hold(reason.flatMap { HoldRefusal(rawValue: $0) } ?? .unknownHold, available: nil)
    }

    /// Does what is to be done about a payment until the certificate is as it should become. A job does the same at
    /// the same time, and whatever one of the two has begun the other leaves alone: so it may take a few looks.
    ///
    /// - Returns: nil when it has not become so yet; the job goes on with it.
    private func follow(
        _ redemption: RedemptionRecord.ID, of member: Member.ID, certificate: GiftCertificate.ID,
        until isReached: (Certificate) -> Bool
    ) async throws -> Certificate? {
        for pause in Self.pauses {
            try await self.flow.advance(redemption, of: member)
            let now = try await self.certificates.find(certificate, in: self.database)
            if let now, isReached(now) { return now }
            try await Task.sleep(for: pause)
        }
        return nil
    }

    /// Between the looks; five seconds together.
    private static let pauses: [Duration] = [
        .milliseconds(20), .milliseconds(40), .milliseconds(80), .milliseconds(160), .milliseconds(320),
        .milliseconds(640), .milliseconds(1280), .milliseconds(2460),
    ]
}
