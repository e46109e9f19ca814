import Kernel
import Metrics
import Postgres

/// What a member does with a code or a link that somebody has given: looks what is left, and makes it the own.
///
/// Both take a login and are counted before anything is looked for: five an hour for an account and twenty for a
/// network. Unknown, blocked and foreign are answered alike, so that trying tells nothing.
struct ClaimGift: Sendable {
    /// What is shown of a certificate.
    enum Key: Sendable {
        case code(CertificateCode)
        case link(GiftLink)
    }

    /// Look-ups an hour.
    struct Limits: Sendable {
        var account: Int32 = 5
        var network: Int32 = 20
    }

    private let database: Database
    private let clock: any WallClock
    private let vault: CodeVault
    private let limits: Limits
    private let certificates = CertificateStore()
    private let lookUps = LookUpStore()
    private let admitted = Counter(label: "gift_certificates_look_ups_total", dimensions: [("outcome", "admitted")])
    private let refused = Counter(label: "gift_certificates_look_ups_total", dimensions: [("outcome", "refused")])

    init(database: Database, clock: any WallClock, vault: CodeVault, limits: Limits = Limits()) {
        (self.database, self.clock, self.vault, self.limits) = (database, clock, vault, limits)
    }

    /// Makes it the member's. Again: the same answer.
    ///
    /// - Parameter network: where the request comes from, as bytes that are only stored as HMAC.
    /// - Throws: ``GiftRefusal``.
    func claim(_ key: Key?, by member: Member.ID, network: [UInt8]) async throws -> Certificate {
        try await self.admit(member, network)
        return try await self.database.transaction { transaction in
            guard let seen = try await self.find(key, in: transaction),
                let certificate = try await self.certificates.lock(seen.id, in: transaction),
                certificate.state.isClaimable, !certificate.isOver(at: self.clock.now)
            else { throw GiftRefusal.unknown }
            if certificate.holder == member { return certificate }
            guard certificate.holder == nil else { throw GiftRefusal.unknown }
            let state: CertificateState = certificate.state == .partlyUsed ? .partlyUsed : .activated
            try await self.certificates.claim(
                certificate.id, by: member, state: state, at: self.clock.now, in: transaction)
            guard let claimed = try await self.certificates.find(certificate.id, in: transaction) else {
                throw GiftRefusal.unknown
            }
            return claimed
        }
    }

    /// What is left on it: of one that nobody has claimed, or that is the member's own.
    ///
    /// - Throws: ``GiftRefusal``.
    func balance(_ code: CertificateCode?, by member: Member.ID, network: [UInt8]) async throws -> Certificate {
        try await self.admit(member, network)
        let certificate = try await self.find(code.map { .code($0) }, in: self.database)
        guard let certificate, certificate.holder == nil || certificate.holder == member,
            certificate.state.isSpendable || certificate.state == .used, !certificate.isOver(at: self.clock.now)
        else { throw GiftRefusal.unknown }
        return certificate
    }

    /// The gift behind a link, for whoever has it: a person, or the preview of a messenger. Looking changes nothing.
    ///
    /// - Throws: ``GiftRefusal``.
    func look(_ link: GiftLink?) async throws -> Certificate {
        let certificate = try await self.find(link.map { .link($0) }, in: self.database)
        guard let certificate, certificate.state.isClaimable || certificate.state == .used else {
            throw GiftRefusal.unknown
        }
        return certificate
    }

    /// A text that is no code is looked for as well, so to say: it counts, and is answered the same.
    private func find(
        _ key: Key?, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Certificate? {
        switch key {
        case .code(let code)?: try await self.certificates.find(codeIndex: self.vault.index(code), in: runner)
        case .link(let link)?: try await self.certificates.find(linkIndex: self.vault.index(link), in: runner)
        case nil: nil
        }
    }

    /// Counts, each in a statement of its own that is committed before anything is looked for.
    private func admit(_ member: Member.ID, _ network: [UInt8]) async throws {
        let now = self.clock.now
        let account = Array("account/\(member)".utf8)
        for (subject, limit) in [
            (self.vault.index(network: network), self.limits.network), (account, self.limits.account),
        ] {
            if let next = try await self.lookUps.admit(subject, limit: limit, at: now, in: self.database) {
                self.refused.increment()
                throw GiftRefusal.tooManyLookUps(until: next)
            }
        }
        self.admitted.increment()
    }

    /// Forgets who has not looked for an hour.
    func forget() async throws {
        try await self.lookUps.forget(before: self.clock.now, in: self.database)
    }
}
