import Contracts
import Kernel
import Postgres
import Redemption

/// A gift while it is a draft: made, changed, dropped; and sent to another address as long as it has not arrived.
struct OrderGift: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let ids: IDGenerator
    private let sealer: GiftSealer
    private let flow: RedemptionFlow
    private let certificates = CertificateStore()
    private let deliveries = DeliveryStore()

    init(database: Database, clock: any WallClock, ids: IDGenerator, sealer: GiftSealer, flow: RedemptionFlow) {
        (self.database, self.clock, self.ids) = (database, clock, ids)
        (self.sealer, self.flow) = (sealer, flow)
    }

    /// - Throws: ``GiftRefusal``.
    func draft(
        _ order: GiftOrder, by member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> Certificate {
        _ = try await self.moment(of: order.wish, in: transaction)
        let id: GiftCertificate.ID = self.ids.next()
        try await self.certificates.insert(
            id, of: member, order, sealed: try self.sealer.seal(order, of: id), at: self.clock.now, in: transaction)
        return try await self.found(id, in: transaction)
    }

    /// - Throws: ``GiftRefusal``.
    func change(_ id: GiftCertificate.ID, _ order: GiftOrder, by member: Member.ID) async throws -> Certificate {
        try await self.database.transaction { transaction in
            let certificate = try await self.own(id, of: member, in: transaction)
            guard certificate.state == .draft else { throw GiftRefusal.wrongState(certificate.state) }
            _ = try await self.moment(of: order.wish, in: transaction)
            let isChanged = try await self.certificates.change(
                id, order, sealed: try self.sealer.seal(order, of: id), at: self.clock.now, in: transaction)
            guard isChanged else { throw GiftRefusal.paymentUnderWay }
            return try await self.found(id, in: transaction)
        }
    }

    /// Drops a draft, and the payment of it while that is not confirmed.
    ///
    /// - Throws: ``GiftRefusal``.
    func cancel(_ id: GiftCertificate.ID, by member: Member.ID) async throws {
        guard let seen = try await self.certificates.find(id, in: self.database), seen.buyer == member else {
            throw GiftRefusal.unknown
        }
        if seen.state == .draft, let payment = seen.payment {
            do {
                _ = try await self.flow.takeBack(RedemptionRecord.ID(payment.raw), of: member)
            } catch RedemptionRefusal.tooLate {
                throw GiftRefusal.paymentUnderWay
            }
        }
        try await self.database.transaction { transaction in
            let certificate = try await self.own(id, of: member, in: transaction)
            switch certificate.state {
            case .cancelled: return
            case .draft where certificate.payment == nil: break
            case .draft: throw GiftRefusal.paymentUnderWay
            default: throw GiftRefusal.wrongState(certificate.state)
            }
            _ = try await self.certificates.step(
                id, from: .draft, to: .cancelled, at: self.clock.now, in: transaction)
        }
    }

    /// Sends a paid gift elsewhere: before its hour, or when it has not arrived. Whoever has the old link or code has
    /// nothing.
    ///
    /// - Throws: ``GiftRefusal``.
    func readdress(
        _ id: GiftCertificate.ID, to recipient: GiftRecipient, _ wish: DeliveryWish, by member: Member.ID
    ) async throws -> Certificate {
        try await self.database.transaction { transaction in
            let certificate = try await self.own(id, of: member, in: transaction)
            switch certificate.state {
            case .scheduled: break
            case .delivering where certificate.undeliveredAt != nil && certificate.holder == nil: break
            case .delivering: throw GiftRefusal.onItsWay
            default: throw GiftRefusal.wrongState(certificate.state)
            }
            guard certificate.held == .zero else { throw GiftRefusal.wrongState(certificate.state) }
            let isOwn = recipient.way == .own
            try await self.deliveries.readdress(
                certificate,
                Readdressed(
                    state: isOwn ? .activated : .scheduled, way: recipient.way,
                    recipient: try self.sealer.vault.sealJSON(recipient, .recipient, of: id), wish: wish,
                    deliverAt: try await self.moment(of: wish, in: transaction), holder: isOwn ? member : nil,
                    keys: try self.sealer.makeKeys(of: id)),
                at: self.clock.now, in: transaction)
            return try await self.found(id, in: transaction)
        }
    }

    /// - Throws: ``GiftRefusal`` for an hour that is past, too far away, or at night without being meant so.
    private func moment(of wish: DeliveryWish, in transaction: borrowing Transaction) async throws -> Timestamp {
        guard !wish.wakesSomebody else { throw GiftRefusal.nightHour }
        let now = self.clock.now
        let moment = try await self.deliveries.moment(of: wish, at: now, in: transaction)
        guard moment >= now - .seconds(60), moment <= now + .seconds(86_400 * Int64(DeliveryWish.daysAhead)) else {
            throw GiftRefusal.deliveryTime
        }
        return moment
    }

    private func own(
        _ id: GiftCertificate.ID, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> Certificate {
        guard let certificate = try await self.certificates.lock(id, in: transaction), certificate.buyer == member
        else {
            throw GiftRefusal.unknown
        }
        return certificate
    }

    private func found(_ id: GiftCertificate.ID, in transaction: borrowing Transaction) async throws -> Certificate {
        guard let certificate = try await self.certificates.find(id, in: transaction) else { throw GiftRefusal.unknown }
        return certificate
    }
}
