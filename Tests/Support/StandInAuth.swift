public import Contracts
internal import Crypto
internal import FoundationEssentials
public import Host
internal import JobQueue
public import Kernel
internal import NIOConcurrencyHelpers
internal import Postgres
public import Web

/// auth as a test tells it to be: a real worker on the real bus that signs tokens, sends codes that everybody knows,
/// and keeps what it is told to tell people.
///
/// ```swift
/// let auth = StandInAuth(clock: clock)
/// try await auth.run(beside: [LedgerModule.self, CharityModule.self]) { world in
///     let anna = try world.client(for: "charity").authorized(auth.token(of: member))
/// ```
public final class StandInAuth: Sendable {
    private struct State {
        var locked: Set<Member.ID> = []
        var inactive: Set<Member.ID> = []
        var asked: [StepUp.ID: StepUpSubject] = [:]
        var used: Set<StepUp.ID> = []
        var tillKeys: [String: TillKeyRecord] = [:]
    }

    /// The code that every step-up has.
    public static let code = "314159"
    private static let queueKeys = "1:" + Data(repeating: 7, count: 32).base64EncodedString()
    private static let keyID = "test"

    /// What people were told.
    public let told = Signal<Notify>()
    private let clock: any WallClock
    private let key = Curve25519.Signing.PrivateKey()
    private let state = NIOLockedValueBox(State())

    /// - Parameter clock: what time tokens are signed at.
    public init(clock: any WallClock) { self.clock = clock }

    /// What codes were asked for, in any order.
    public var subjects: [StepUpSubject] { self.state.withLockedValue { Array($0.asked.values) } }

    /// The member locks spending.
    public func lockSpending(of member: Member.ID) { self.state.withLockedValue { _ = $0.locked.insert(member) } }

    /// The member's paper form waits for its confirmation.
    public func suspend(_ member: Member.ID) { self.state.withLockedValue { _ = $0.inactive.insert(member) } }

    /// A till's key whose secret is `secret`: `ck_<id>_secret`.
    public func addTillKey(_ id: String, store: StoreID?, scopes: [String]) {
        let record = TillKeyRecord(
            id: id, hash: Data(SHA256.hash(data: Data("secret".utf8))), store: store, scopes: scopes, revoked: false,
            changedAt: self.clock.now)
        self.state.withLockedValue { $0.tillKeys[id] = record }
    }

    /// Runs the services on the test's database, with this beside them.
    /// - Parameter settings: on top of those of ``ServiceWorld``.
    public func run<R: Sendable>(
        beside modules: [any ServiceModule.Type], settings: [String: String] = [:],
        _ body: @escaping @Sendable (ServiceWorld, Neighbour) async throws -> R
    ) async throws -> R {
        let neighbour = try Neighbour(service: "auth", keys: Self.queueKeys)
        let worker = Worker(bus: neighbour.bus, queues: self.queues, handlers: self.handlers)
        let settings = settings.merging(["CLUB_QUEUE_KEYS": Self.queueKeys], uniquingKeysWith: { first, _ in first })
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await worker.run()
                return nil
            }
            group.addTask {
                try await eventually("auth's queues", isTrue: { try await neighbour.declares(self.queues.count) })
                return try await ServiceWorld.run(modules, settings: settings, clock: self.clock) { world in
                    try await body(world, neighbour)
                }
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private var queues: [QueueDeclaration] {
        [
            QueueDeclaration("auth.calls"), QueueDeclaration("auth.step-ups", isEncrypted: true),
            QueueDeclaration("auth.notifications", isEncrypted: true),
        ]
    }

    private var handlers: [Handler] {
        [
            .reply(FetchSigningKeys.self) { _, _, _ in FetchSigningKeys.Reply(jwks: self.keySet) },
            .reply(ResolveTillKey.self) { call, _, _ in
                ResolveTillKey.Reply(key: self.state.withLockedValue { $0.tillKeys[call.id] })
            },
            .reply(FetchStanding.self) { call, _, _ in
                self.state.withLockedValue { state in
                    FetchStanding.Reply(
                        MemberStanding(
                            isActive: !state.inactive.contains(call.member),
                            isSpendingLocked: state.locked.contains(call.member), phoneChangedAt: nil, language: "ru"))
                }
            },
            .reply(RequestStepUp.self) { call, _, _ in self.request(call) },
            .reply(ConfirmStepUp.self) { call, _, _ in self.confirm(call) },
            .transactional(Notify.self) { notice, _, transaction in
                transaction.afterCommit { self.told.send(notice) }
            },
        ]
    }

    private func request(_ call: RequestStepUp) -> RequestStepUp.Reply {
        self.state.withLockedValue { state in
            if state.locked.contains(call.member) { return RequestStepUp.Reply(.spendingLocked) }
            state.asked[call.id] = call.subject
            return RequestStepUp.Reply(expiresAt: self.clock.now + .seconds(300), resendAt: nil)
        }
    }

    private func confirm(_ call: ConfirmStepUp) -> ConfirmStepUp.Reply {
        self.state.withLockedValue { state in
            guard state.asked[call.id] == call.subject, call.code == Self.code else {
                return ConfirmStepUp.Reply(.codeRefused)
            }
            state.used.insert(call.id)
            return ConfirmStepUp.Reply(nil)
        }
    }
}

// MARK: - Tokens

extension StandInAuth {
    /// An access token of a member.
    public func token(of member: Member.ID) throws -> String {
        let now = self.clock.now
        let token = AccessToken(
            member: member, session: Session.ID(UUID()), expiresAt: now + .seconds(600), level: .basic)
        return try self.sign(AccessTokenClaims(token, issuedAt: now))
    }

    /// A colleague's token.
    public func token(of staff: Staff.ID, _ roles: Set<StaffRole>) throws -> String {
        let now = self.clock.now
        let token = StaffToken(staff: staff, roles: roles, expiresAt: now + .seconds(600))
        return try self.sign(StaffTokenClaims(token, issuedAt: now))
    }

    private func sign(_ claims: some Encodable) throws -> String {
        let header = Array(#"{"alg": "EdDSA", "typ": "JWT", "kid": "\#(Self.keyID)"}"#.utf8)
        let signed = Base64URL.encode(header) + "." + Base64URL.encode(Array(try JSONEncoder().encode(claims)))
        return signed + "." + Base64URL.encode(Array(try self.key.signature(for: Data(signed.utf8))))
    }

    /// The key set that verifiers fetch (RFC 8037).
    private var keySet: String {
        let x = Base64URL.encode(Array(self.key.publicKey.rawRepresentation))
        return #"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "\#(Self.keyID)", "x": "\#(x)"}]}"#
    }
}
