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
        var staffRules = StaffRules()
    }

    init(_ m: Materials) {
        let metrics = AuthMetrics()
        let peppers = CodePeppers(vault: m.vault, random: m.random)
        let rotate = RotateSigningKey(
            database: m.database, clock: m.clock, random: m.random, vault: m.vault, rules: m.policy.tokens)
        let signer = TokenSigner(
            database: m.database, clock: m.clock, vault: m.vault, rotate: rotate, rules: m.policy.tokens)
        let open = OpenSession(clock: m.clock, ids: m.ids, random: m.random, signer: signer, policy: m.policy)
        self.peppers = peppers
        self.signer = signer
        self.rotate = rotate
        self.edge = EdgeParts(m, signer: signer)
        self.keepHouse = KeepHouse(
            database: m.database, clock: m.clock, rotate: rotate, policy: m.policy, logger: m.logger)
        self.handlers = Self.handlers(m, peppers: peppers, signer: signer, metrics: metrics)
        self.routes = Self.routes(m, peppers: peppers, signer: signer, open: open, metrics: metrics)
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

    private static func routes(
        _ m: Materials, peppers: CodePeppers, signer: TokenSigner, open: OpenSession, metrics: AuthMetrics
    ) -> AuthRoutes {
        AuthRoutes(
            requestChallenge: RequestChallenge(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault,
                peppers: peppers, policy: m.policy, metrics: metrics),
            resendCode: ResendCode(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, policy: m.policy, metrics: metrics),
            logIn: LogIn(
                database: m.database, clock: m.clock, random: m.random,
                verify: VerifyCode(
                    database: m.database, clock: m.clock, peppers: peppers, policy: m.policy, metrics: metrics),
                openSession: open, policy: m.policy, metrics: metrics),
            register: RegisterMember(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault,
                openSession: open, policy: m.policy, metrics: metrics),
            refresh: RefreshSession(
                database: m.database, clock: m.clock, random: m.random, openSession: open, policy: m.policy,
                metrics: metrics, logger: m.logger),
            logOut: LogOut(database: m.database, clock: m.clock),
            show: ShowMember(database: m.database, vault: m.vault),
            issueCardToken: IssueCardToken(database: m.database, ids: m.ids, signer: signer),
            signer: signer,
            verifier: AccessTokenVerifier(clock: m.clock) { try await signer.publicKeys() },
            clientAddress: m.clientAddress,
            clock: m.clock)
    }
}
