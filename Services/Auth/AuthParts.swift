import Hummingbird
import JobQueue
import Kernel
import Logging
import Postgres
import Web

/// auth, put together: every operation with what it works on. The module builds it from settings, a test from its
/// world.
struct AuthParts: Sendable {
    let routes: AuthRoutes
    let handlers: [Handler]
    let keepHouse: KeepHouse
    let signer: TokenSigner
    let peppers: CodePeppers
    let rotate: RotateSigningKey
    let edge: EdgeParts
    let members: MemberParts

    /// What everything here is made of.
    struct Materials: Sendable {
        let database: Database
        let bus: Bus
        let clock: any WallClock
        let ids: IDGenerator
        let random: RandomBytes
        let vault: Vault
        let gateway: any SMSGateway
        let policy: AuthPolicy
        let clientAddress: ClientAddress
        let logger: Logger
        /// nil for the development gateways; its SMS gateway is `gateway`.
        var outlets: Outlets?
        var staffRules = StaffRules()
        var notices = NoticePolicy()
    }

    init(_ m: Materials) {
        let metrics = AuthMetrics()
        let peppers = CodePeppers(vault: m.vault, random: m.random)
        let rotate = RotateSigningKey(
            database: m.database, clock: m.clock, random: m.random, vault: m.vault, rules: m.policy.tokens)
        let signer = TokenSigner(
            database: m.database, clock: m.clock, vault: m.vault, rotate: rotate, rules: m.policy.tokens)
        self.peppers = peppers
        self.signer = signer
        self.rotate = rotate
        self.edge = EdgeParts(m, signer: signer, auth: metrics)
        self.keepHouse = KeepHouse(
            database: m.database, clock: m.clock, rotate: rotate,
            retire: RetireTillKeys(database: m.database, bus: m.bus, clock: m.clock),
            releaseHolds: ReleaseHolds(
                database: m.database, clock: m.clock, announce: AnnounceStanding(bus: m.bus, clock: m.clock)),
            policy: m.policy, logger: m.logger)
        let neighbours = Self.neighbours(m, peppers: peppers, signer: signer, metrics: metrics)
        self.members = MemberParts(m, neighbours)
        self.handlers =
            Self.handlers(m, peppers: peppers, signer: signer, metrics: metrics) + self.members.handlers
        self.routes = Self.routes(m, neighbours, signer: signer)
    }

    private static func handlers(
        _ m: Materials, peppers: CodePeppers, signer: TokenSigner, metrics: AuthMetrics
    ) -> [Handler] {
        let deliver = DeliverCode(
            database: m.database, clock: m.clock, vault: m.vault, peppers: peppers, gateway: m.gateway, metrics: metrics
        )
        let enrol = EnrolPeople(
            bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault, metrics: metrics)
        return [
            .sendCode(deliver), .resolveCard(), .resolveTillKey(), .fetchSigningKeys(signer), .enrolMembers(enrol),
            .listReferences(),
        ]
    }

    /// What logging in and the members' side share.
    private static func neighbours(
        _ m: Materials, peppers: CodePeppers, signer: TokenSigner, metrics: AuthMetrics
    ) -> MemberParts.Neighbours {
        let end = EndSessions(bus: m.bus, clock: m.clock, rules: m.policy.tokens)
        return MemberParts.Neighbours(
            peppers: peppers,
            requestChallenge: RequestChallenge(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault,
                peppers: peppers, policy: m.policy, metrics: metrics),
            resendCode: ResendCode(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, policy: m.policy, metrics: metrics),
            verify: VerifyCode(
                database: m.database, clock: m.clock, peppers: peppers, policy: m.policy, metrics: metrics),
            show: ShowMember(database: m.database, vault: m.vault),
            logOut: LogOut(database: m.database, end: end),
            issue: IssueCard(bus: m.bus, random: m.random), end: end, tell: TellMember(bus: m.bus, ids: m.ids),
            confirmForm: ConfirmPaperForm(
                bus: m.bus, clock: m.clock, announce: AnnounceStanding(bus: m.bus, clock: m.clock)),
            verifier: AccessTokenVerifier(clock: m.clock) { try await signer.publicKeys() }, metrics: metrics)
    }

    private static func routes(
        _ m: Materials, _ n: MemberParts.Neighbours, signer: TokenSigner
    ) -> AuthRoutes {
        let open = OpenSession(clock: m.clock, ids: m.ids, random: m.random, signer: signer, policy: m.policy)
        return AuthRoutes(
            requestChallenge: n.requestChallenge, resendCode: n.resendCode,
            logIn: LogIn(
                database: m.database, clock: m.clock, random: m.random, verify: n.verify, openSession: open,
                confirm: n.confirmForm, vault: m.vault, policy: m.policy, metrics: n.metrics),
            register: RegisterMember(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault,
                openSession: open, issue: n.issue, policy: m.policy, metrics: n.metrics),
            refresh: RefreshSession(
                database: m.database, clock: m.clock, random: m.random, openSession: open, end: n.end, tell: n.tell,
                policy: m.policy, metrics: n.metrics, logger: m.logger),
            logOut: n.logOut, show: n.show,
            issueCardToken: IssueCardToken(database: m.database, ids: m.ids, signer: signer),
            signer: signer, verifier: n.verifier, clientAddress: m.clientAddress, clock: m.clock)
    }

    func addRoutes(to router: Router<ClubRequestContext>) {
        self.routes.add(to: router)
        self.members.addRoutes(to: router)
        self.edge.addRoutes(to: router)
    }
}
