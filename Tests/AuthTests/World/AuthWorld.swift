import FoundationEssentials
import Hummingbird
import HummingbirdTesting
import JobQueue
import Kernel
import Logging
import NIOCore
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

/// auth on a database of its own, with a clock that the test moves and randomness that repeats itself.
struct AuthWorld: Sendable {
    let clock = ManualClock()
    let database: Database
    let owner: Database
    let vault: Vault
    let parts: AuthParts
    let random: RandomBytes
    let bus: Bus

    static let master = Secret([UInt8](repeating: 0x11, count: 32))
    static let lookup = Secret([UInt8](repeating: 0x22, count: 32))

    init(
        policy: AuthPolicy = .unlimitedNetwork, gateway: (any SMSGateway)? = nil,
        outlets: (inout Outlets) -> Void = { _ in }, seed: UInt64 = 1
    ) throws {
        let test = try TestDatabase.current
        self.database = test.database(for: "auth")
        self.owner = test.owner
        self.vault = try #require(Vault(master: Self.master, lookup: Self.lookup))
        self.random = .seeded(seed)
        self.bus = try Bus.forTests(test)
        var materials = AuthParts.Materials(
            database: self.database, bus: self.bus, clock: self.clock,
            ids: .uuidV7(clock: self.clock, random: self.random), random: self.random, vault: self.vault,
            gateway: gateway ?? OutboxSMSGateway(database: self.database, clock: self.clock), policy: policy,
            clientAddress: ClientAddress(trustedProxies: []), logger: CapturedLogs.logger)
        var ways = Outlets(database: self.database, clock: self.clock)
        outlets(&ways)
        materials.outlets = ways
        // The real cost is a fifth of a second for each login; what it protects is no matter of these tests.
        materials.staffRules.cost.logarithm = 4
        self.parts = AuthParts(materials)
    }

    /// Opens every connection of the pool, so that what is asked at once runs at once and not one after the other on
    /// the connection that happens to be open.
    func openConnections(_ count: Int = 4) async throws {
        guard count > 0 else { return }
        try await self.database.withConnection { connection in
            _ = try await connection.query("select 1")
            try await self.openConnections(count - 1)
        }
    }

    /// The code of a challenge, as its message would carry it.
    func code(of challenge: Challenge.ID) async throws -> String {
        let row = try await self.owner.one(
            "select digits, pepper_id from auth.challenge where challenge_id = \(challenge)")
        let (digits, pepper) = try row.decode(CodeLength.self, Int32.self)
        let code = try await self.parts.peppers.code(
            of: challenge, ChallengeStore.Derivation(digits: digits, pepper: pepper), on: self.database)
        return try #require(code).reveal()
    }

    /// A code that is not the right one.
    func wrongCode(for challenge: Challenge.ID) async throws -> String {
        let right = try await self.code(of: challenge)
        let last: Character = right.last == "0" ? "1" : "0"
        return String(right.dropLast()) + [last]
    }

    /// Asks for a code and gets one.
    func challenge(_ phone: String = "+79161234567", from network: ClientNetwork = .unknown) async throws
        -> Challenge.ID
    {
        try await self.parts.routes.requestChallenge(PhoneNumber(parsing: phone), from: network).get().challenge
    }

    /// Logs in with the right code.
    func logIn(_ phone: String = "+79161234567") async throws -> LogIn.Outcome {
        let challenge = try await self.challenge(phone)
        return try await self.parts.routes.logIn(
            challenge, answer: self.code(of: challenge), device: DeviceName(userAgent: "test"))
    }

    /// Registers a member with a phone of their own.
    func register(_ phone: String = "+79161234567") async throws -> RegisterMember.Registered {
        guard case .registration(let ticket, _, _) = try await self.logIn(phone) else {
            throw UnexpectedOutcome()
        }
        return try await self.parts.routes.register(
            ticket: ticket,
            RegisterMember.Application(
                fullName: try #require(FullName(last: "Иванова", first: "Анна", middle: "Петровна")),
                consents: ConsentChoices(terms: true, personalData: true, marketing: false)),
            device: DeviceName(userAgent: "test"))
    }

    /// The routes in a router, asked without sockets.
    func client<R: Sendable>(
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> R
    ) async throws -> R {
        let router = Router(context: ClubRequestContext.self)
        self.parts.addRoutes(to: router)
        return try await Application(router: router, logger: CapturedLogs.logger).test(.router, body)
    }
}

extension AuthPolicy {
    /// The router knows no addresses, so that all its requests come from one network: its quotas have suites of their
    /// own.
    static var unlimitedNetwork: AuthPolicy {
        var policy = AuthPolicy()
        policy.quotas.perNetworkHour = 1_000_000
        policy.quotas.phonesPerNetworkHour = 1_000_000
        return policy
    }
}

/// The login ended otherwise than the test is about.
struct UnexpectedOutcome: Error {}
