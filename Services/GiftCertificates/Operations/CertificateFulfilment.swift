import Contracts
import Kernel
import Metrics
import Postgres
import Redemption

/// What this service does with the points of a certificate: nothing leaves the house. The ledger takes them and issues
/// the certificate in one transaction; the code is made when that is known.
struct CertificateFulfilment: Fulfilment {
    let clock: any WallClock
    let sealer: GiftSealer
    private let certificates = CertificateStore()
    private let payments = PaymentStore()
    private let deliveries = DeliveryStore()
    private let overLimit = Counter(label: "gift_certificates_day_limit_refusals_total")

    init(clock: any WallClock, sealer: GiftSealer) { (self.clock, self.sealer) = (clock, sealer) }

    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer { .credited(reference: nil) }

    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer { .credited(reference: nil) }

    func capture(of redemption: RedemptionRecord) -> Transfer {
        .issueCertificate(
            IssueCertificate(
                id: redemption.transfer, member: redemption.member, kopecks: redemption.worth, hold: redemption.hold))
    }

    func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws {
        let payment = Certificate.LedgerIssue(redemption.id.raw)
        switch redemption.state {
        case .reserving:
            let isCounted = try await self.payments.count(
                redemption.worth, of: redemption.member, on: redemption.createdAt, in: transaction)
            guard isCounted else {
                self.overLimit.increment()
                throw GiftRefusal.dayLimit
            }
        case .rejected, .cancelling:
            try await self.payments.uncount(
                redemption.worth, of: redemption.member, on: redemption.createdAt, in: transaction)
        case .reversed, .expired:
            try await self.payments.drop(payment, at: self.clock.now, in: transaction)
        case .settled:
            try await self.pay(payment, issuedBy: redemption.capturedBy, in: transaction)
        case .quoted, .confirming, .reserved, .submitted, .unknown, .accepted, .credited, .manual:
            break
        }
    }

    private func pay(
        _ payment: Certificate.LedgerIssue, issuedBy: LedgerTransaction.ID?, in transaction: borrowing Transaction
    ) async throws {
        guard let certificate = try await self.certificates.lock(payment: payment, in: transaction),
            certificate.state == .draft
        else { return }
        let now = self.clock.now
        let isOwn = certificate.way == .own
        let wanted = try await self.deliveries.moment(of: certificate.wish, at: now, in: transaction)
        // An hour that has passed while it was paid for means: as soon as may be.
        let soonest = DeliveryWish(at: nil, zone: certificate.wish.zone, evenAtNight: certificate.wish.evenAtNight)
        let moment =
            wanted > now ? wanted : try await self.deliveries.moment(of: soonest, at: now, in: transaction)
        let lifetime = Duration.seconds(86_400 * Int64(CertificateLifetime.days))
        try await self.payments.pay(
            certificate,
            Paid(
                state: isOwn ? .activated : .scheduled, holder: isOwn ? certificate.buyer : nil,
                keys: try self.sealer.makeKeys(of: certificate.id), issuedBy: issuedBy,
                deliverAt: isOwn ? now : moment, deliveredAt: isOwn ? now : nil,
                expiresAt: certificate.funding == .points ? max(now, moment) + lifetime : nil),
            at: now, in: transaction)
    }
}
