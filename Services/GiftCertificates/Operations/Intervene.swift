import Contracts
import JobQueue
import Kernel
import Postgres

/// What colleagues do about a certificate: stop it, let it go on, give the points back by the word of two of them.
struct Intervene: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let ids: IDGenerator
    private let certificates = CertificateStore()
    private let holds = TillStore()
    private let interventions = InterventionStore()

    init(database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
    }

    func find(_ id: GiftCertificate.ID) async throws -> Certificate {
        guard let certificate = try await self.certificates.find(id, in: self.database) else {
            throw GiftRefusal.unknown
        }
        return certificate
    }

    /// Stops it. What a till has set aside goes back to it: that till is told so when it wants to take it.
    ///
    /// - Throws: ``GiftRefusal``.
    func block(_ id: GiftCertificate.ID, by staff: Staff.ID, reason: String) async throws -> Certificate {
        try await self.changing(id, .block, by: staff, reason: reason) { certificate, transaction in
            if certificate.state == .blocked { return }
            try await self.stop(certificate, in: transaction)
        }
    }

    private func stop(_ certificate: Certificate, in transaction: borrowing Transaction) async throws {
        guard certificate.state.canBecome(.blocked) else { throw GiftRefusal.wrongState(certificate.state) }
        let now = self.clock.now
        if let open = try await self.holds.open(of: certificate.id, in: transaction) {
            try await self.holds.end(
                open, .voided, captured: nil, certificate: certificate.state, at: now, in: transaction)
        }
        try await self.certificates.block(certificate, at: now, in: transaction)
    }

    /// Lets it go on from where it was.
    ///
    /// - Throws: ``GiftRefusal``.
    func unblock(_ id: GiftCertificate.ID, by staff: Staff.ID, reason: String) async throws -> Certificate {
        try await self.changing(id, .unblock, by: staff, reason: reason) { certificate, transaction in
            guard certificate.state == .blocked else { throw GiftRefusal.wrongState(certificate.state) }
            let refund = try await self.interventions.refund(of: certificate.id, in: transaction)
            guard refund?.state != .approved else { throw GiftRefusal.refundDecided }
            try await self.certificates.unblock(certificate, at: self.clock.now, in: transaction)
        }
    }

    /// One colleague asks for the points to go back. Nothing is changed by that.
    ///
    /// - Throws: ``GiftRefusal``.
    func requestRefund(_ id: GiftCertificate.ID, by maker: Staff.ID, reason: String) async throws -> Certificate {
        try await self.changing(id, .requestRefund, by: maker, reason: reason) { certificate, transaction in
            try Self.checkRefundable(certificate)
            let refund = Refund(
                certificate: id, transfer: self.ids.next(), maker: maker, state: .requested, reason: reason)
            guard try await self.interventions.request(refund, at: self.clock.now, in: transaction) else {
                throw GiftRefusal.refundDecided
            }
        }
    }

    /// Another one agrees: the certificate stops, and the ledger undoes its issue. The two commit together; what the
    /// ledger says is heard by ``hear(_:in:)``.
    ///
    /// - Throws: ``GiftRefusal``.
    func approveRefund(_ id: GiftCertificate.ID, by checker: Staff.ID, reason: String) async throws -> Certificate {
        try await self.changing(id, .approveRefund, by: checker, reason: reason) { certificate, transaction in
            guard let refund = try await self.interventions.refund(of: id, in: transaction), refund.state == .requested
            else { throw GiftRefusal.refundDecided }
            guard refund.maker != checker else { throw GiftRefusal.samePerson }
            try Self.checkRefundable(certificate)
            guard let issue = certificate.issuedBy else { throw GiftRefusal.wrongState(certificate.state) }
            try await self.interventions.approve(refund, by: checker, at: self.clock.now, in: transaction)
            if certificate.state != .blocked { try await self.stop(certificate, in: transaction) }
            let mirror = ReverseTransaction(
                id: LedgerTransfer.ID(refund.transfer.raw), member: certificate.buyer, reverses: issue)
            try await self.bus.send(PostTransfer(.reverse(mirror)), in: transaction)
        }
    }

    /// Money that was spent cannot be turned back into points.
    private static func checkRefundable(_ certificate: Certificate) throws(GiftRefusal) {
        guard certificate.funding == .points, certificate.state.canBecome(.refunded) else {
            throw .wrongState(certificate.state)
        }
        guard certificate.remaining == certificate.faceValue, certificate.held == .zero else { throw .partlySpent }
    }

    /// What the ledger has said to a refund; to what is none of ours nothing.
    func hear(_ news: TransferDone, in transaction: borrowing Transaction) async throws {
        guard case .reverse(let mirror) = news.transfer else { return }
        let transfer = Refund.TransferID(mirror.id.raw)
        guard let refund = try await self.interventions.refund(transfer: transfer, in: transaction),
            let certificate = try await self.certificates.lock(refund.certificate, in: transaction)
        else { return }
        switch news.outcome {
        case .done:
            try await self.interventions.end(refund, .done, refusal: nil, in: transaction)
            try await self.certificates.refunded(certificate, at: self.clock.now, in: transaction)
        case .refused(let code):
            try await self.interventions.end(refund, .refused, refusal: code.rawValue, in: transaction)
            try await self.certificates.unblock(certificate, at: self.clock.now, in: transaction)
        }
    }

    /// Locks, changes, and writes down who did it and why.
    private func changing(
        _ id: GiftCertificate.ID, _ action: InterventionStore.Action, by staff: Staff.ID, reason: String,
        _ body: (Certificate, borrowing Transaction) async throws -> Void
    ) async throws -> Certificate {
        try await self.database.transaction { transaction in
            guard let certificate = try await self.certificates.lock(id, in: transaction) else {
                throw GiftRefusal.unknown
            }
            try await body(certificate, transaction)
            try await self.interventions.note(
                action, of: id, by: staff, reason: reason, id: self.ids.next(), at: self.clock.now, in: transaction)
            guard let changed = try await self.certificates.find(id, in: transaction) else { throw GiftRefusal.unknown }
            return changed
        }
    }
}
