import Hummingbird
import JobQueue
import Kernel
import Postgres
import Web

/// What members do with their own account, put together: step-ups, sessions, profile, registration. A part of
/// ``AuthParts``.
struct MemberParts: Sendable {
    let handlers: [Handler]
    let profile: ProfileRoutes
    let actions: ActionRoutes
    let sessions: SessionRoutes
    let registrations: RegistrationRoutes
    let confirmForms: ConfirmPaperForms
    let sendStepUp: SendStepUp
    let checkStepUp: CheckStepUp
    private let database: Database
    private let verifier: AccessTokenVerifier

    /// What the members' side takes of what logging in is made of.
    struct Neighbours: Sendable {
        let peppers: CodePeppers
        let requestChallenge: RequestChallenge
        let resendCode: ResendCode
        let verify: VerifyCode
        let show: ShowMember
        let logOut: LogOut
        let issue: IssueCard
        let end: EndSessions
        let tell: TellMember
        let confirmForm: ConfirmPaperForm
        let verifier: AccessTokenVerifier
        let metrics: AuthMetrics
    }

    init(_ m: AuthParts.Materials, _ n: Neighbours) {
        let metrics = StepUpMetrics()
        let announce = AnnounceStanding(bus: m.bus, clock: m.clock)
        let send = SendStepUp(
            bus: m.bus, clock: m.clock, ids: m.ids, vault: m.vault, peppers: n.peppers, policy: m.policy,
            metrics: metrics)
        let check = CheckStepUp(
            database: m.database, clock: m.clock, peppers: n.peppers, policy: m.policy, metrics: metrics)
        let confirm = ConfirmAction(database: m.database, ids: m.ids, send: send, check: check)
        self.sendStepUp = send
        self.checkStepUp = check
        self.confirmForms = ConfirmPaperForms(database: m.database, clock: m.clock, confirm: n.confirmForm)
        self.handlers = [
            .requestStepUp(send), .confirmStepUp(check), .fetchStanding(), .confirmDueForms(self.confirmForms),
        ]
        self.profile = Self.profile(m, n, announce)
        self.actions = Self.actions(m, n, announce, confirm)
        self.sessions = SessionRoutes(database: m.database, logOut: n.logOut, clock: m.clock)
        self.registrations = RegistrationRoutes(
            database: m.database,
            draft: DraftRegistration(
                database: m.database, clock: m.clock, ids: m.ids, vault: m.vault, tell: n.tell),
            enterForm: EnterPaperForm(
                database: m.database, bus: m.bus, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault,
                issue: n.issue, announce: announce, policy: m.policy, metrics: n.metrics),
            verifier: n.verifier, clock: m.clock)
        self.database = m.database
        self.verifier = n.verifier
    }

    private static func profile(
        _ m: AuthParts.Materials, _ n: Neighbours, _ announce: AnnounceStanding
    ) -> ProfileRoutes {
        let audit = RecordChanges(clock: m.clock)
        let mail = MailCode(
            database: m.database, clock: m.clock, random: m.random, peppers: n.peppers, policy: m.policy, tell: n.tell)
        return ProfileRoutes(
            show: n.show,
            edit: EditProfile(
                database: m.database, clock: m.clock, vault: m.vault, audit: audit, announce: announce),
            changeEmail: ChangeEmail(
                database: m.database, clock: m.clock, vault: m.vault, mail: mail, audit: audit, tell: n.tell),
            changeConsent: ChangeConsent(
                database: m.database, bus: m.bus, clock: m.clock, vault: m.vault, requestChallenge: n.requestChallenge,
                verify: n.verify, mail: mail, policy: m.policy),
            export: ExportMember(database: m.database, vault: m.vault, show: n.show), clientAddress: m.clientAddress,
            clock: m.clock)
    }

    private static func actions(
        _ m: AuthParts.Materials, _ n: Neighbours, _ announce: AnnounceStanding, _ confirm: ConfirmAction
    ) -> ActionRoutes {
        ActionRoutes(
            changePhone: ChangePhone(
                database: m.database, clock: m.clock, vault: m.vault, confirm: confirm,
                requestChallenge: n.requestChallenge, verify: n.verify, end: n.end, announce: announce, tell: n.tell,
                audit: RecordChanges(clock: m.clock)),
            replaceCard: ReplaceCard(confirm: confirm, issue: n.issue, tell: n.tell, clock: m.clock),
            addCard: AddPrintedCard(database: m.database, issue: n.issue, tell: n.tell, clock: m.clock),
            lockSpending: LockSpending(database: m.database, confirm: confirm, announce: announce, tell: n.tell),
            erase: EraseMember(
                bus: m.bus, clock: m.clock, vault: m.vault, confirm: confirm, end: n.end, tell: n.tell),
            resendCode: n.resendCode, clientAddress: m.clientAddress, clock: m.clock)
    }

    func addRoutes(to router: Router<ClubRequestContext>) {
        let members = router.group()
            .add(middleware: MemberAuthentication(verifier: self.verifier))
            .add(middleware: LiveSession(database: self.database))
        self.profile.add(to: members)
        self.actions.add(to: members)
        self.sessions.add(to: members)
        self.registrations.add(to: router)
    }

    /// Paper forms are looked for every hour: a day begins at midnight in Moscow, and nobody waits for the minute.
    static var periodic: [PeriodicJob] {
        get throws {
            [
                PeriodicJob(
                    "auth.confirm-due-forms", try .cron("7 * * * *", in: "Europe/Moscow"), send: ConfirmDueForms())
            ]
        }
    }

    static let queues = [
        // Who confirms what, with codes: ciphertext to the database. An attempt is counted on a connection of its own
        // while the handler's waits, so fewer run at once than there are connections.
        QueueDeclaration("auth.step-ups", slots: 2, retention: .seconds(86_400), isEncrypted: true),
        QueueDeclaration("auth.registrations", slots: 1, producers: ["auth"], runningMax: 1),
    ]
}
