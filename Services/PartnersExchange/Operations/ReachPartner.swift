import Kernel
import Logging
import Metrics
import Postgres

/// Talks to a partner, and keeps its breaker: who fails again and again is left alone for a while.
struct ReachPartner: Sendable {
    let database: Database
    let http: PartnerHTTP
    let vault: ExchangeVault
    let clock: any WallClock
    let hosts: AllowedHosts
    private let partners = PartnerStore()

    init(
        database: Database, http: PartnerHTTP, vault: ExchangeVault, clock: any WallClock, hosts: AllowedHosts
    ) {
        (self.database, self.http, self.vault) = (database, http, vault)
        (self.clock, self.hosts) = (clock, hosts)
    }

    /// Nobody has said yet where the partner is, or the operator does not allow it.
    struct NoAddress: Error {}

    /// What seals a partner's secret.
    static func place(_ partner: String) -> String { "partner-secret/\(partner)" }

    /// The secret that both sides sign with; nil when none is set.
    func secret(of partner: Partner) throws -> String? {
        try partner.secret.map { try self.vault.open($0, at: Self.place(partner.code)) }
    }

    /// Refuses when the partner cannot be reached as far as is known. Nothing is sent.
    /// - Throws: ``ExchangeRefusal``.
    func requireReachable(_ partner: Partner) throws(ExchangeRefusal) {
        guard partner.isRemote else { return }
        if let pause = partner.breaker.pause(at: self.clock.now) { throw .partnerDown(retryAfter: pause) }
        guard partner.address != nil, partner.secret != nil else {
            throw .partnerDown(retryAfter: Breaker.longestPause)
        }
    }

    /// - Throws: what keeps an answer from coming, having counted it.
    func callAsFunction<Answer>(
        _ partner: Partner, _ ask: (PartnerGateway) async throws -> Answer
    ) async throws -> Answer {
        guard let address = partner.address, self.hosts.allows(address), let secret = try self.secret(of: partner)
        else {
            throw NoAddress()
        }
        let gateway = PartnerGateway(http: self.http, clock: self.clock, address: address, secret: secret)
        do {
            let answer = try await ask(gateway)
            try await self.note(partner, isFailure: false)
            return answer
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            Logger.current.warning(
                "A partner did not answer as it should",
                metadata: ["exchange.partner": "\(partner.code)", "error": "\(type(of: error))"])
            try await self.note(partner, isFailure: true)
            throw error
        }
    }

    private func note(_ partner: Partner, isFailure: Bool) async throws {
        Counter(
            label: "partners_exchange_requests_total",
            dimensions: [("partner", partner.code), ("outcome", isFailure ? "failed" : "answered")]
        ).increment()
        // A partner that is well costs nothing more here.
        if !isFailure, partner.breaker == Breaker() { return }
        let now = self.clock.now
        try await self.database.transaction { transaction in
            try await self.partners.changeBreaker(of: partner.code, in: transaction) { breaker in
                if isFailure { breaker.failed(at: now) } else { breaker.succeeded() }
            }
        }
    }
}
