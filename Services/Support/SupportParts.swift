import Contracts
import Hummingbird
import JobQueue
import Kernel
import Photos
import Postgres
import Web

/// support, put together: what routes and handlers call. The module builds it from settings, a test from its world.
struct SupportParts: Sendable {
    /// What everything here is made of.
    struct Materials: Sendable {
        let database: Database
        let bus: Bus
        let clock: any WallClock
        let ids: IDGenerator
        let random: RandomBytes
        /// Signs photo links, reply addresses, keys of tickets and puzzles.
        let signingKey: Secret
        /// What the mail server shows.
        let mailKey: Secret
        /// Where answers to letters go: everything behind the sign.
        let mailDomain: String
        let calendar: WorkingCalendar
        var rules = Rules()
        /// Fetches auth's public keys.
        let signingKeys: @Sendable () async throws -> String
    }

    /// What an operator may choose.
    struct Rules: Sendable {
        /// Zero bits that a puzzle's solution has: 18 take a browser about a second.
        var proofBits: UInt8 = 18
        /// Requests a minute from one address to what needs no login.
        var openRequestsPerMinute = 120
        var photoProgram = "vipsthumbnail"
        var apps = AppLink.parse(AppLink.usual) ?? []
    }

    let handlers: SupportHandlers
    let receive: ReceiveLetter
    private let customer: CustomerRoutes
    private let open: OpenTicket
    private let staff: StaffTurns
    private let correct: CorrectPoints
    private let materials: Materials
    private let verifier: AccessTokenVerifier
    private let requests: RateLimiter

    init(_ m: Materials) {
        let keys = SupportKeys(m.signingKey)
        let desk = TicketDesk(clock: m.clock, ids: m.ids, calendar: m.calendar)
        let write = WriteMessage(
            desk: desk,
            tell: TellCustomer(bus: m.bus, clock: m.clock, ids: m.ids, keys: keys, domain: m.mailDomain))
        let turns = CustomerTurns(desk: desk, write: write)
        let clean = PhotoCleaner(program: m.rules.photoProgram)
        let open = OpenTicket(desk: desk, write: write, bus: m.bus)
        self.customer = CustomerRoutes(
            database: m.database, turns: turns,
            show: ShowTicket(database: m.database, clock: m.clock, calendar: m.calendar), clean: clean,
            idempotency: Idempotency(
                schema: SupportModule.name, database: m.database, clock: m.clock, random: m.random),
            keys: keys, clock: m.clock)
        self.open = open
        self.staff = StaffTurns(desk: desk, write: write)
        self.correct = CorrectPoints(database: m.database, bus: m.bus, desk: desk, write: write)
        self.receive = ReceiveLetter(
            database: m.database, desk: desk, open: open, turns: turns, clean: clean, keys: keys, domain: m.mailDomain)
        self.handlers = SupportHandlers(
            answer: AnswerMissingPoints(database: m.database, bus: m.bus, desk: desk, write: write),
            order: KeepOrder(database: m.database, desk: desk), clock: m.clock)
        self.verifier = AccessTokenVerifier(
            clock: m.clock,
            endedSessions: EndedSessions(schema: SupportModule.name, database: m.database, clock: m.clock),
            keys: m.signingKeys)
        self.requests = RateLimiter(
            RateLimitPolicy(burst: m.rules.openRequestsPerMinute, per: .seconds(60)), clock: m.clock)
        self.materials = m
    }

    func addRoutes(to router: Router<ClubRequestContext>) {
        let m = self.materials
        let everybody = router.group("v1").add(middleware: RateLimit(self.requests))
        FAQRoutes(database: m.database).add(to: everybody)
        AppRoutes(links: m.rules.apps).add(to: everybody)
        OpenRoutes(customer: self.customer, open: self.open, random: m.random, bits: m.rules.proofBits)
            .add(to: everybody)
        PhotoRoutes(database: m.database, keys: self.customer.keys, clock: m.clock).add(to: router.group("v1"))
        MailRoutes(receive: self.receive, key: m.mailKey).add(to: router.group("v1"))
        MemberRoutes(customer: self.customer, open: self.open)
            .add(to: router.group("v1").add(middleware: MemberAuthentication(verifier: self.verifier)))
        let colleagues = router.group("staff/v1")
            .add(middleware: StaffAuthentication(verifier: self.verifier, roles: [.support, .supervisor]))
        StaffRoutes(customer: self.customer, turns: self.staff, open: self.open).add(to: colleagues)
        SupervisorRoutes(database: m.database, correct: self.correct, clock: m.clock).add(
            toColleagues: colleagues,
            supervisors: router.group("staff/v1")
                .add(middleware: StaffAuthentication(verifier: self.verifier, roles: [.supervisor])))
    }
}
