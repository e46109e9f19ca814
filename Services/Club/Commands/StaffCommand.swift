public import ArgumentParser
public import Auth
import FoundationEssentials
import Kernel
public import Web

/// `club staff …`
struct StaffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "staff", abstract: "Make the accounts of colleagues and give them roles.",
        discussion: """
            A role takes two people: who proposes it, and a sysadmin who decides. This command proposes as the operator at \
            the machine; `club staff decide` takes the time code of the colleague who decides. The first two sysadmins \
            are founders and need nobody. Roles: \(StaffRole.allCases.map(\.rawValue).joined(separator: ", ")).
            """,
        subcommands: [Add.self, List.self, Roles.self, Decide.self, Disable.self, ResetTimeCode.self])
}

extension StaffRole: ExpressibleByArgument {}
extension StaffLogin: ExpressibleByArgument {}

extension StaffCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account and print its first password and what its authenticator reads, once.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "What the colleague logs in as.")
        var login: StaffLogin
        @Option(help: "What people call the colleague.")
        var name: String
        @Option(name: .customLong("role"), help: "A role to propose; may be repeated.")
        var roles: [StaffRole] = []

        private struct Answer: Encodable {
            let id: Staff.ID
            let login: String
            let password: String
            let authenticator: String
            let roles: [StaffRole]
            let waiting: [Identifier<RoleChange>]
        }

        func run() async throws {
            let answer = try await StaffDesk.run(in: self.system.folder) { desk in
                let issued = try await desk.accounts.add(self.login, name: self.name)
                let outcomes = try await desk.propose(self.roles, for: self.login)
                return Answer(
                    id: issued.id, login: self.login.text, password: issued.password.text,
                    authenticator: issued.authenticator.text, roles: outcomes.inForce,
                    waiting: outcomes.waiting.map { Identifier($0) })
            }
            try self.output.output.result(
                answer,
                text: ([
                    "Password: \(answer.password)", "Authenticator: \(answer.authenticator)",
                ] + answer.waiting.map { "Waits for a second person: \($0)" }).joined(separator: "\n"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the colleagues and their roles.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        private struct Colleague: Encodable {
            let id: Staff.ID
            let login: String
            let name: String
            let active: Bool
            let roles: [StaffRole]
            let proposed: [StaffRole]
            let addedAt: Timestamp
        }

        func run() async throws {
            let members = try await StaffDesk.run(in: self.system.folder) { try await $0.accounts.list() }
            try self.output.output.result(
                members.map {
                    Colleague(
                        id: $0.id, login: $0.login, name: $0.name, active: $0.isActive, roles: $0.roles,
                        proposed: $0.proposed, addedAt: $0.addedAt)
                },
                Table(
                    [.text("LOGIN"), .text("NAME"), .text("STATE"), .text("ROLES"), .text("WAITING")],
                    rows: members.map { member in
                        [
                            member.login, member.name, member.isActive ? "active" : "disabled",
                            member.roles.map(\.rawValue).joined(separator: " "),
                            member.proposed.map(\.rawValue).joined(separator: " "),
                        ]
                    }))
        }
    }

    struct Roles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose and take roles; without an option, list what waits for a second person.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Whose roles.")
        var login: StaffLogin?
        @Option(help: "A role to propose; may be repeated.")
        var give: [StaffRole] = []
        @Option(help: "A role to take away at once; may be repeated.")
        var take: [StaffRole] = []

        private struct Waiting: Encodable {
            let change: Identifier<RoleChange>
            let login: String
            let role: StaffRole
            let madeAt: Timestamp
        }

        func validate() throws {
            guard self.login != nil || (self.give.isEmpty && self.take.isEmpty) else {
                throw ValidationError("Whose roles? Name the login.")
            }
        }

        func run() async throws {
            let waiting = try await StaffDesk.run(in: self.system.folder) { desk in
                if let login = self.login {
                    for role in self.take { try await desk.roles.take(role, from: login) }
                    _ = try await desk.propose(self.give, for: login)
                }
                return try await desk.roles.waiting()
            }
            try self.output.output.result(
                waiting.map {
                    Waiting(change: Identifier($0.id), login: $0.login, role: $0.role, madeAt: $0.madeAt)
                },
                Table(
                    [.text("CHANGE"), .text("LOGIN"), .text("ROLE"), .text("SINCE")],
                    rows: waiting.map {
                        [
                            Identifier<RoleChange>($0.id).description, $0.login, $0.role.rawValue,
                            $0.madeAt.description,
                        ]
                    }))
        }
    }

    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve or refuse a role that waits, as the second person.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The change, as `club staff roles` lists it.")
        var change: Identifier<RoleChange>
        @Option(name: .customLong("as"), help: "The login of the sysadmin who decides.")
        var checker: StaffLogin
        @Option(help: "The present time code of the one who decides.")
        var code: String
        @Flag(help: "Refuse it.")
        var refuse = false

        func run() async throws {
            try await StaffDesk.run(in: self.system.folder) { desk in
                let checker = try await desk.check.second(self.checker, code: self.code)
                try await desk.roles.decide(self.change.raw, approves: !self.refuse, by: checker)
            }
            try self.output.output.result(
                ["approved": !self.refuse], text: self.refuse ? "Refused." : "Approved.")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the use of an account at once, with all its sessions.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Whose account.")
        var login: StaffLogin

        func run() async throws {
            try await StaffDesk.run(in: self.system.folder) { try await $0.accounts.disable(self.login) }
            try self.output.output.result(["disabled": true], text: "Disabled.")
        }
    }

    struct ResetTimeCode: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-totp", abstract: "Give a lost authenticator a successor, and end all sessions.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Whose authenticator.")
        var login: StaffLogin

        func run() async throws {
            let address = try await StaffDesk.run(in: self.system.folder) {
                try await $0.accounts.resetTimeCode(self.login)
            }
            try self.output.output.result(["authenticator": address.text], text: address.text)
        }
    }
}

/// What the commands about colleagues work with.
struct StaffDesk: Sendable {
    let accounts: StaffAccounts
    let roles: StaffRoles
    let check: CheckColleague

    /// Opens the desk of a running system for as long as the body runs.
    /// - Throws: ``CommandFailure``, with a sentence for each refusal.
    static func run<R>(in folder: SystemFolder, _ body: (StaffDesk) async throws -> R) async throws -> R {
        try await OperatorSession.run(in: folder) { session in
            let secrets = SystemSecrets(session.folder)
            guard let master = secrets.read("club_auth_master_key"), let lookup = secrets.read("club_auth_lookup_key")
            else {
                throw CommandFailure(.unavailable, "The secrets of auth are not in \(secrets.folder): `club up` first.")
            }
            return try await BusSession.run(session) { bus in
                let clock = SystemClock()
                let desk = StaffDesk(
                    accounts: try StaffAccounts(
                        database: session.database, bus: bus, clock: clock, ids: .uuidV7(clock: clock),
                        random: .system, masterKey: master, lookupKey: lookup),
                    roles: StaffRoles(database: session.database, clock: clock, ids: .uuidV7(clock: clock)),
                    check: try CheckColleague(
                        database: session.database, clock: clock, random: .system, masterKey: master,
                        lookupKey: lookup))
                do {
                    return try await body(desk)
                } catch let refusal as StaffRefusal {
                    throw Self.failure(refusal)
                }
            }
        }
    }

    /// Proposes each of the roles.
    func propose(
        _ roles: [StaffRole], for login: StaffLogin
    ) async throws -> (inForce: [StaffRole], waiting: [UUID]) {
        var (inForce, waiting): ([StaffRole], [UUID]) = ([], [])
        for role in roles {
            switch try await self.roles.propose(role, for: login) {
            case .inForce: inForce.append(role)
            case .waiting(let change): waiting.append(change)
            }
        }
        return (inForce, waiting)
    }

    private static func failure(_ refusal: StaffRefusal) -> CommandFailure {
        switch refusal {
        case .loginTaken: CommandFailure(.checkFailed, "Somebody has that login.")
        case .unknown: CommandFailure(.checkFailed, "There is no such colleague, role or change that waits.")
        case .name: CommandFailure(.usage, "The name must be 1 to 120 characters.")
        case .roleThere: CommandFailure(.checkFailed, "The role is there or proposed already.")
        case .samePerson: CommandFailure(.checkFailed, "Another person must decide.")
        case .credentials: CommandFailure(.checkFailed, "The login or the time code is wrong, or was used.")
        case .notAllowed: CommandFailure(.checkFailed, "Only a sysadmin decides about roles.")
        case .password: CommandFailure(.usage, "The password must be 12 to 128 characters.")
        }
    }
}
