import Contracts
import JobQueue
import Kernel
import Postgres

/// Spends a certificate at a till: sets money aside, takes all or a part of it, gives it back.
///
/// The certificate's row is the lock of its money: whatever two tills do at once, one of them waits for the other and
/// then sees what it has done. A capture and the command to the ledger commit together, so the books follow whatever
/// happens to this process; the till does not wait for them.
struct SpendAtTill: Sendable {
    /// What a till asks for.
    struct Request: Sendable {
        let code: CertificateCode
        let store: StoreID
        let amount: Kopecks
        let key: IdempotencyKey
        let fingerprint: [UInt8]
    }

    /// What a till is told: the authorisation, and what is left beside it.
    struct Answer: Hashable, Sendable {
        let hold: CertificateHold
        let remaining: Kopecks
        let isRepeated: Bool
    }

    private let database: Database
    private let bus: Bus
    private let vault: CodeVault
    private let clock: any WallClock
    private let ids: IDGenerator
    private let lifetime: Duration
    private let certificates = CertificateStore()
    private let holds = TillStore()

    /// - Parameter lifetime: how long money stays set aside.
    init(
        database: Database, bus: Bus, vault: CodeVault, clock: any WallClock, ids: IDGenerator, lifetime: Duration
    ) {
        (self.database, self.bus, self.vault) = (database, bus, vault)
        (self.clock, self.ids, self.lifetime) = (clock, ids, lifetime)
    }

    /// Sets money aside. The same request again gets the same answer.
    ///
    /// - Throws: `SpendingRefusal`.
    func authorise(_ request: Request, from till: Till) async throws -> Answer {
        guard till.speaks(for: request.store) else { throw SpendingRefusal.foreignStore }
        return try await self.database.transaction { transaction in
            if let earlier = try await self.holds.find(till: till.key, key: request.key, in: transaction) {
                return try await self.repeated(earlier, request, in: transaction)
            }
            let index = self.vault.index(request.code)
            guard let certificate = try await self.certificates.lock(codeIndex: index, in: transaction) else {
                throw SpendingRefusal.unknownCertificate
            }
            // The twin of this request may have been before us and have committed while we waited for the row.
            if let twin = try await self.holds.find(till: till.key, key: request.key, in: transaction) {
                return try await self.repeated(twin, request, in: transaction)
            }
            return try await self.place(request, of: certificate, from: till, in: transaction)
        }
    }

    private func place(
        _ request: Request, of certificate: Certificate, from till: Till, in transaction: borrowing Transaction
    ) async throws -> Answer {
        let now = self.clock.now
        if certificate.state == .used { throw SpendingRefusal.insufficientMoney(remaining: .zero) }
        guard certificate.state.isSpendable, !certificate.isOver(at: now) else {
            throw SpendingRefusal.unknownCertificate
        }
        if let open = try await self.holds.open(of: certificate.id, in: transaction) {
            guard open.expiresAt <= now else { throw SpendingRefusal.inUse }
            try await self.holds.end(
                open, .lapsed, captured: nil, certificate: certificate.state, at: now, in: transaction)
        }
        guard request.amount <= certificate.remaining else {
            throw SpendingRefusal.insufficientMoney(remaining: certificate.remaining)
        }
        let hold = CertificateHold(
            id: self.ids.next(), certificate: certificate.id, store: request.store, till: till.key,
            idempotencyKey: request.key, fingerprint: request.fingerprint, amount: request.amount, captured: nil,
            state: .placed, expiresAt: now + self.lifetime)
        // Another certificate may be asked for with the same key at the same moment.
        guard try await self.holds.place(hold, at: now, in: transaction) else { throw SpendingRefusal.keyReused }
        let left = certificate.remaining.subtracting(request.amount) ?? .zero
        return Answer(hold: hold, remaining: left, isRepeated: false)
    }

    private func repeated(
        _ earlier: CertificateHold, _ request: Request, in transaction: borrowing Transaction
    ) async throws -> Answer {
        guard earlier.fingerprint == request.fingerprint else { throw SpendingRefusal.keyReused }
        return try await self.answer(earlier, isRepeated: true, in: transaction)
    }

    private func answer(
        _ hold: CertificateHold, isRepeated: Bool, in transaction: borrowing Transaction
    ) async throws -> Answer {
        let certificate = try await self.certificates.find(hold.certificate, in: transaction)
        return Answer(hold: hold, remaining: certificate?.free ?? .zero, isRepeated: isRepeated)
    }

    /// Takes what was set aside, or a part of it; the rest goes back to the certificate.
    ///
    /// - Parameter amount: nil for all.
    /// - Throws: `SpendingRefusal`.
    func capture(_ id: CertificateHold.ID, amount: Kopecks?, from till: Till) async throws -> Answer {
        try await self.database.transaction { transaction in
            let (hold, certificate) = try await self.lock(id, from: till, in: transaction)
            let wanted = amount ?? hold.captured ?? hold.amount
            guard wanted <= hold.amount else { throw SpendingRefusal.overAuthorised(hold.amount) }
            switch hold.state {
            case .captured where hold.captured == wanted:
                return Answer(hold: hold, remaining: certificate.free, isRepeated: true)
            case .captured, .voided, .lapsed:
                throw SpendingRefusal.alreadyEnded(hold.state)
            case .placed:
                break
            }
            try await self.holds.end(
                hold, .captured, captured: wanted, certificate: certificate.state(afterSpending: wanted),
                at: self.clock.now, in: transaction)
            try await self.post(wanted, of: certificate, by: hold, in: transaction)
            let left = certificate.remaining.subtracting(wanted) ?? .zero
            return Answer(hold: hold.ended(.captured, captured: wanted), remaining: left, isRepeated: false)
        }
    }

    private func post(
        _ amount: Kopecks, of certificate: Certificate, by hold: CertificateHold,
        in transaction: borrowing Transaction
    ) async throws {
        guard let issue = certificate.payment else { throw SpendingRefusal.unknownAuthorisation }
        let redemption = RedeemCertificate(
            id: LedgerTransfer.ID(hold.id.raw), member: certificate.holder ?? certificate.buyer,
            certificate: LedgerTransfer.ID(issue.raw), kopecks: amount)
        try await self.bus.send(PostTransfer(.redeemCertificate(redemption)), in: transaction)
    }

    /// Gives all of it back.
    ///
    /// - Throws: `SpendingRefusal`.
    func void(_ id: CertificateHold.ID, from till: Till) async throws -> Answer {
        try await self.database.transaction { transaction in
            let (hold, certificate) = try await self.lock(id, from: till, in: transaction)
            switch hold.state {
            case .voided, .lapsed:
                return Answer(hold: hold, remaining: certificate.free, isRepeated: true)
            case .captured:
                throw SpendingRefusal.alreadyEnded(hold.state)
            case .placed:
                break
            }
            try await self.holds.end(
                hold, .voided, captured: nil, certificate: certificate.state, at: self.clock.now, in: transaction)
            return Answer(
                hold: hold.ended(.voided, captured: nil), remaining: certificate.remaining, isRepeated: false)
        }
    }

    /// Frees what tills have forgotten. Asking for the certificate does the same, so nobody waits for this.
    func lapse() async throws {
        for overdue in try await self.holds.lapsing(at: self.clock.now, limit: 100, in: self.database) {
            try await self.database.transaction { transaction in
                guard let certificate = try await self.certificates.lock(overdue.certificate, in: transaction),
                    let hold = try await self.holds.find(overdue.id, in: transaction), hold.state == .placed
                else { return }
                try await self.holds.end(
                    hold, .lapsed, captured: nil, certificate: certificate.state, at: self.clock.now, in: transaction)
            }
        }
    }

    /// The authorisation with its certificate's lock. One of another store's till is answered like none.
    private func lock(
        _ id: CertificateHold.ID, from till: Till, in transaction: borrowing Transaction
    ) async throws -> (CertificateHold, Certificate) {
        guard let seen = try await self.holds.find(id, in: transaction), till.speaks(for: seen.store),
            let certificate = try await self.certificates.lock(seen.certificate, in: transaction),
            let hold = try await self.holds.find(id, in: transaction)
        else { throw SpendingRefusal.unknownAuthorisation }
        return (hold, certificate)
    }
}

extension CertificateHold {
    /// The same, ended.
    fileprivate func ended(_ state: State, captured: Kopecks?) -> CertificateHold {
        CertificateHold(
            id: self.id, certificate: self.certificate, store: self.store, till: self.till,
            idempotencyKey: self.idempotencyKey, fingerprint: self.fingerprint, amount: self.amount,
            captured: captured, state: state, expiresAt: self.expiresAt)
    }
}
