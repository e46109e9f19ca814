import Auth
import FoundationEssentials
import Kernel
import Web

/// A colleague of the demo: what the operator would hand out, kept for whoever tries the demo.
struct DemoColleague: Codable, Sendable {
    let role: StaffRole
    let login: String
    let name: String
    let password: String
    /// What an authenticator reads: `otpauth://totp/…`.
    let authenticator: String
    /// Goes on with the session that was opened last.
    var refreshToken: String?
}

/// The demo's colleagues, one of each role: their accounts, and their sessions.
struct DemoColleagues: Sendable {
    static let fileName = "demo-colleagues.json"

    private let secrets: SystemSecrets

    init(_ folder: SystemFolder) { self.secrets = SystemSecrets(folder) }

    /// Where their passwords are.
    var file: String { self.secrets.path(Self.fileName) }

    /// Those that were made, in the order of their roles.
    func all() -> [DemoColleague] {
        let bytes = self.secrets.read(Self.fileName)?.reveal() ?? []
        return (try? JSONDecoder().decode([DemoColleague].self, from: Data(bytes))) ?? []
    }

    private func save(_ colleague: DemoColleague) throws {
        let others = self.all().filter { $0.role != colleague.role }
        let places = StaffRole.allCases
        let all = (others + [colleague]).sorted { left, right in
            (places.firstIndex(of: left.role) ?? 0) < (places.firstIndex(of: right.role) ?? 0)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try self.secrets.write(Secret(Array(encoder.encode(all))), to: Self.fileName)
    }
}

// MARK: Accounts

extension DemoColleagues {
    private static let names: [StaffRole: String] = [
        .support: "Зайцева О. Н., поддержка", .supervisor: "Крылов И. А., старший смены",
        .promoEditor: "Белова М. С., редактор акций", .promoApprover: "Громов П. В., утверждает акции",
        .financeOperator: "Фомина Е. Д., финансы", .financeApprover: "Рябов К. Л., утверждает выплаты",
        .partnerManager: "Орехова Т. И., партнёры", .storeClerk: "Сидорова А. Б., магазин",
        .auditor: "Мельник В. Г., аудитор", .dataProtectionOfficer: "Лукин Р. Е., защита данных",
        .sysadmin: "Соколов Н. О., администратор",
    ]

    private static func login(of role: StaffRole) -> StaffLogin? { StaffLogin("demo-\(role.rawValue)") }

    /// Makes the accounts that are missing and gives each its role, which the demo's sysadmin approves.
    /// - Throws: ``CommandFailure`` when an account is there whose password nobody has kept.
    func make(_ desk: StaffDesk) async throws {
        // The sysadmin comes first: the others' roles take a second person.
        let roles = [StaffRole.sysadmin] + StaffRole.allCases.filter { $0 != .sysadmin }
        var known = Dictionary(try await desk.accounts.list().map { ($0.login, $0) }, uniquingKeysWith: { $1 })
        let kept = Set(self.all().map(\.login))
        for role in roles {
            guard let login = Self.login(of: role) else { continue }
            if known[login.text] == nil {
                try await self.add(login, role, desk)
            } else if !kept.contains(login.text) {
                throw CommandFailure(
                    .checkFailed, "There is a colleague \(login), whose password is not in \(self.file).")
            }
        }
        known = Dictionary(try await desk.accounts.list().map { ($0.login, $0) }, uniquingKeysWith: { $1 })
        for role in roles {
            guard let login = Self.login(of: role), let member = known[login.text], !member.roles.contains(role),
                !member.proposed.contains(role)
            else { continue }
            _ = try await desk.propose([role], for: login)
        }
        try await self.approve(desk)
    }

    private func add(_ login: StaffLogin, _ role: StaffRole, _ desk: StaffDesk) async throws {
        let name = Self.names[role] ?? role.rawValue
        let issued = try await desk.accounts.add(login, name: name)
        try self.save(
            DemoColleague(
                role: role, login: login.text, name: name, password: issued.password.text,
                authenticator: issued.authenticator.text))
    }

    /// The demo's sysadmin says yes to what waits for the others.
    private func approve(_ desk: StaffDesk) async throws {
        let logins = Set(StaffRole.allCases.compactMap { Self.login(of: $0)?.text })
        let waiting = try await desk.roles.waiting().filter { logins.contains($0.login) }
        guard !waiting.isEmpty else { return }
        guard let sysadmin = self.all().first(where: { $0.role == .sysadmin }),
            let login = StaffLogin(sysadmin.login), let app = Authenticator(address: sysadmin.authenticator),
            !waiting.contains(where: { $0.login == sysadmin.login })
        else {
            throw CommandFailure(
                .checkFailed,
                "The system has its founders: somebody else must approve the roles of the demo's colleagues.")
        }
        let now = SystemClock().now
        let checker: Staff.ID
        do {
            checker = try await desk.check.second(login, code: app.code(at: now))
        } catch StaffRefusal.credentials {
            // Whoever was here in the same half a minute has used that one.
            checker = try await desk.check.second(login, code: app.nextCode(at: now))
        }
        for change in waiting { try await desk.roles.decide(change.id, approves: true, by: checker) }
    }
}

// MARK: Sessions

extension DemoColleagues {
    /// An access token of the colleague with this role, good for ten minutes.
    /// - Throws: ``CommandFailure`` when there is none, or auth refuses.
    func token(_ role: StaffRole, _ client: ProgrammeClient) async throws -> String {
        guard var colleague = self.all().first(where: { $0.role == role }) else {
            throw CommandFailure(.checkFailed, "The demo has no \(role.rawValue): `club demo` makes one.")
        }
        let tokens = try await self.tokens(of: colleague, client)
        guard let access = tokens["accessToken"]?.text else {
            throw CommandFailure(.software, "auth does not let \(colleague.login) in: \(tokens.problem)")
        }
        colleague.refreshToken = tokens["refreshToken"]?.text
        try self.save(colleague)
        return access
    }

    private func tokens(of colleague: DemoColleague, _ client: ProgrammeClient) async throws -> ProgrammeClient.Answer {
        if let token = colleague.refreshToken {
            let renewed = try await client.send(
                "POST", .auth, "/v1/staff/tokens", .json(["refreshToken": .text(token)]))
            if renewed.status == 200 { return renewed }
        }
        guard let app = Authenticator(address: colleague.authenticator) else {
            throw CommandFailure(.dataError, "\(self.file) holds no authenticator of \(colleague.login).")
        }
        let now = SystemClock().now
        let first = try await self.logIn(colleague, code: app.code(at: now), client)
        return first.status == 201 ? first : try await self.logIn(colleague, code: app.nextCode(at: now), client)
    }

    private func logIn(
        _ colleague: DemoColleague, code: String, _ client: ProgrammeClient
    ) async throws -> ProgrammeClient.Answer {
        try await client.send(
            "POST", .auth, "/v1/staff/sessions",
            .json(["login": .text(colleague.login), "password": .text(colleague.password), "code": .text(code)]))
    }
}
