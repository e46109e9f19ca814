import Kernel
import Postgres

/// Links a member's number in a partner's programme: its form is checked here, that it exists and whose it is by the partner.
struct LinkNumber: Sendable {
    /// The number as the member gives it, with the name under which the partner knows its holder.
    struct Request: Sendable {
        let partner: String
        let number: String
        let surname: String
        let name: String
    }

    let database: Database
    let vault: ExchangeVault
    let clock: any WallClock
    let limits: ExchangeLimits
    let reach: ReachPartner
    private let partners = PartnerStore()
    private let links = LinkStore()

    init(
        database: Database, vault: ExchangeVault, clock: any WallClock, limits: ExchangeLimits, reach: ReachPartner
    ) {
        (self.database, self.vault, self.clock) = (database, vault, clock)
        (self.limits, self.reach) = (limits, reach)
    }

    /// The digits of a number, if it has the form of the partner's.
    /// - Throws: ``ExchangeRefusal``.
    func parse(_ number: String, of partner: String) async throws -> (partner: Partner, digits: String) {
        guard let partner = try await self.partners.find(partner, in: self.database), partner.isActive,
            let rule = partner.numberRule
        else { throw ExchangeRefusal.unknownPartner }
        do {
            return (partner, try rule.parse(number))
        } catch {
            throw ExchangeRefusal.wrongNumber(error)
        }
    }

    /// The same number again changes nothing; another one waits (``ExchangeLimits/coolingOff``).
    ///
    /// - Throws: ``ExchangeRefusal``.
    func callAsFunction(_ request: Request, for member: Member.ID) async throws -> PartnerLink {
        let (partner, digits) = try await self.parse(request.number, of: request.partner)
        try await self.verify(digits, request, at: partner)
        let now = self.clock.now
        let link = PartnerLink(
            member: member, partner: partner.code,
            number: try self.vault.seal(digits, at: PartnerLink.place(partner.code, member)),
            numberMAC: self.vault.index(digits, in: partner.code), tail: String(digits.suffix(4)), linkedAt: now,
            coolingUntil: nil)
        return try await self.database.transaction { transaction in
            try await self.links.write(link, coolingUntil: now + self.limits.coolingOff, in: transaction)
            return try await self.links.find(partner.code, of: member, in: transaction) ?? link
        }
    }

    /// A partner of files cannot be asked: what is wrong with the number comes out with its first order.
    private func verify(_ digits: String, _ request: Request, at partner: Partner) async throws {
        guard partner.isRemote else { return }
        try self.reach.requireReachable(partner)
        let account: PartnerGateway.Account
        do {
            account = try await self.reach(partner) {
                try await $0.check(account: digits, surname: request.surname, name: request.name)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ExchangeRefusal.partnerDown(retryAfter: .seconds(5))
        }
        guard account.exists else { throw ExchangeRefusal.unknownNumber }
        guard account.nameMatches else { throw ExchangeRefusal.otherName }
    }
}
