import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import ServiceLifecycle
import Web

/// The edges of auth, put together: colleagues, what is told to people, and the gateways. A part of ``AuthParts``.
struct EdgeParts: Sendable {
    let staff: StaffRoutes
    let accounts: StaffAccounts
    let roles: StaffRoles
    let check: CheckColleague
    let deliver: DeliverNotice
    let takeReport: TakeReport
    let stop: StopAdvertising
    let tellOfPoints: TellOfPoints
    private let kannel: KannelRoutes
    private let devices: DeviceRoutes
    private let recoveries: RecoveryRoutes
    private let client: GatewayClient?

    /// The queue of everything that is told to people: encrypted, since it holds phones, addresses and texts. The last
    /// attempts are minutes apart, so that an evening without a gateway loses nothing.
    static let queues = [
        QueueDeclaration(
            "auth.notifications", attemptsMax: 60, backoff: Backoff(cap: .seconds(300)), lease: .seconds(60),
            retention: .seconds(86_400), isEncrypted: true),
        QueueDeclaration(
            "auth.points", gather: .milliseconds(100), retention: .seconds(86_400), producers: ["ledger"]),
    ]

    init(_ m: AuthParts.Materials, signer: TokenSigner, auth: AuthMetrics) {
        let verifier = AccessTokenVerifier(clock: m.clock) { try await signer.publicKeys() }
        let office = PasswordOffice(cost: m.staffRules.cost, random: m.random)
        let end = EndStaffSessions(bus: m.bus, clock: m.clock, tokenLifetime: m.policy.tokens.keyRetention)
        self.check = CheckColleague(
            database: m.database, clock: m.clock, vault: m.vault, office: office, rules: m.staffRules)
        self.roles = StaffRoles(database: m.database, clock: m.clock, ids: m.ids)
        self.accounts = StaffAccounts(
            database: m.database, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault, office: office,
            sessions: end)
        let metrics = StaffMetrics()
        let sessions = StaffSessions(
            m, check: self.check, signer: signer, end: end, rules: m.staffRules, metrics: metrics)
        self.recoveries = RecoveryRoutes(
            recover: RecoverPhone(
                database: m.database, clock: m.clock, ids: m.ids, vault: m.vault,
                end: EndSessions(bus: m.bus, clock: m.clock, rules: m.policy.tokens),
                announce: AnnounceStanding(bus: m.bus, clock: m.clock), tell: TellMember(bus: m.bus, ids: m.ids),
                audit: RecordChanges(clock: m.clock)),
            sessions: sessions, database: m.database, verifier: verifier)
        self.staff = StaffRoutes(
            sessions: sessions,
            accounts: self.accounts, roles: self.roles,
            changePassword: ChangeStaffPassword(
                database: m.database, clock: m.clock, check: self.check, office: office, end: end),
            lookUp: LookUpMember(database: m.database, clock: m.clock, vault: m.vault, metrics: metrics),
            database: m.database, verifier: verifier, clientAddress: m.clientAddress,
            logins: RateLimiter(
                RateLimitPolicy(burst: m.staffRules.networkMinute, per: .seconds(60)), clock: m.clock),
            metrics: metrics)

        let outlets = m.outlets ?? Outlets(database: m.database, clock: m.clock)
        let notices = NoticeMetrics()
        self.tellOfPoints = TellOfPoints(bus: m.bus, ids: m.ids)
        let move = MoveNotice(database: m.database, bus: m.bus, clock: m.clock, metrics: notices)
        self.deliver = DeliverNotice(
            database: m.database, clock: m.clock, vault: m.vault,
            choose: ChooseWay(
                vault: m.vault, policy: m.notices, messagesPerDay: m.policy.quotas.messagesPerDay),
            move: move, sms: m.gateway, mail: outlets.mail, push: outlets.push, metrics: notices, logger: m.logger)
        self.takeReport = TakeReport(
            database: m.database, clock: m.clock, move: move, auth: auth, metrics: notices)
        self.stop = StopAdvertising(database: m.database, clock: m.clock, vault: m.vault, metrics: notices)
        self.kannel = KannelRoutes(secret: outlets.kannelSecret, takeReport: self.takeReport, stop: self.stop)
        self.devices = DeviceRoutes(
            register: RegisterDevice(database: m.database, clock: m.clock, vault: m.vault), verifier: verifier)
        self.client = outlets.client
    }

    var handlers: [Handler] {
        [
            .notify(self.deliver),
            .batch(PointsEarned.self, on: "auth.points") { jobs, transaction in
                try await self.tellOfPoints(jobs.map(\.message), in: transaction)
            },
        ]
    }

    var services: [any Service] { self.client.map { [$0] } ?? [] }

    func addRoutes(to router: Router<ClubRequestContext>) {
        self.staff.add(to: router)
        self.recoveries.add(to: router)
        self.kannel.add(to: router)
        self.devices.add(to: router)
    }
}
