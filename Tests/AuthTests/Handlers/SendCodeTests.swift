import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// A gateway that a test holds in its hands.
private final class GatewayUnderTest: SMSGateway {
    struct Refused: Error {}
    struct Message: Hashable, Sendable {
        let phone: PhoneNumber
        let text: String
        let reference: UUID
    }

    let sent = Signal<Message>()
    private let isWorking: Bool

    init(isWorking: Bool = true) { self.isWorking = isWorking }

    func send(to phone: PhoneNumber, text: String, reference: UUID) async throws -> DeliveryState {
        guard self.isWorking else { throw Refused() }
        self.sent.send(Message(phone: phone, text: text, reference: reference))
        return .accepted
    }
}

@Suite(.authDatabase, .capturedLogs) struct SendCodeTests {
    private func deliver(_ world: AuthWorld, _ gateway: any SMSGateway) -> DeliverCode {
        DeliverCode(
            database: world.database, clock: world.clock, vault: world.vault, peppers: world.parts.peppers,
            gateway: gateway, metrics: AuthMetrics())
    }

    private func states(_ world: AuthWorld) async throws -> [DeliveryState] {
        try await world.owner.query("select state from auth.sms order by sending").map {
            try $0.decode(DeliveryState.self)
        }
    }

    @Test func `the message goes to the phone with the code, once`() async throws {
        let world = try AuthWorld()
        let gateway = GatewayUnderTest()
        let challenge = try await world.challenge()
        try await self.deliver(world, gateway)(challenge, sending: 1)
        let message = try await gateway.sent.next()
        #expect(message.phone.e164 == "+79161234567")
        #expect(message.text.hasPrefix(try await world.code(of: challenge) + " "))
        #expect(try await self.states(world) == [.accepted])

        try await self.deliver(world, GatewayUnderTest(isWorking: false))(challenge, sending: 1)
        #expect(try await self.states(world) == [.accepted], "a repeated job sends nothing")
    }

    @Test func `a resend sends the same text under a reference of its own`() async throws {
        let world = try AuthWorld()
        let gateway = GatewayUnderTest()
        let challenge = try await world.challenge()
        world.clock.advance(by: .seconds(30))
        _ = try await world.parts.routes.resendCode(challenge)
        for sending in 1...2 { try await self.deliver(world, gateway)(challenge, sending: sending) }
        let messages = try await gateway.sent.next(2)
        #expect(Set(messages.map(\.text)).count == 1)
        #expect(Set(messages.map(\.reference)).count == 2)
    }

    @Test func `a gateway that fails leaves the message queued, to be tried again`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        await #expect(throws: GatewayUnderTest.Refused.self) {
            try await self.deliver(world, GatewayUnderTest(isWorking: false))(challenge, sending: 1)
        }
        #expect(try await self.states(world) == [.queued])
    }

    @Test func `a code that was used or has lapsed is not sent any more`() async throws {
        let world = try AuthWorld()
        let dead = self.deliver(world, GatewayUnderTest(isWorking: false))
        let used = try await world.challenge()
        _ = try await world.parts.routes.logIn(used, answer: world.code(of: used), device: DeviceName(userAgent: nil))
        try await dead(used, sending: 1)
        let lapsed = try await world.challenge()
        world.clock.advance(by: .seconds(300))
        try await dead(lapsed, sending: 1)
        #expect(try await self.states(world) == [.queued, .queued])
    }

    @Test func `delivery reports that come twice and out of order only raise the state`() async throws {
        let world = try AuthWorld()
        _ = try await world.challenge()
        let reference = try await world.owner.one("select reference from auth.sms").decode(UUID.self)
        let reports: [(DeliveryState, Bool, DeliveryState)] = [
            (.accepted, true, .accepted), (.accepted, false, .accepted), (.failed, true, .failed),
            (.accepted, false, .failed), (.delivered, true, .delivered), (.failed, false, .delivered),
            (.queued, false, .delivered),
        ]
        for (report, rises, state) in reports {
            #expect(
                try await SMSStore().advance(reference, to: report, at: world.clock.now, on: world.database) == rises)
            #expect(try await self.states(world) == [state])
        }
    }

    @Test func `the outbox shows the newest message first and keeps one per reference`() async throws {
        let world = try AuthWorld()
        let gateway = OutboxSMSGateway(database: world.database, clock: world.clock)
        let (anna, boris) = (try PhoneNumber(parsing: "+79161234567"), try PhoneNumber(parsing: "+79161234568"))
        let first = UUID(random: .seeded(1))
        for _ in 0..<2 { _ = try await gateway.send(to: anna, text: "1", reference: first) }
        _ = try await gateway.send(to: boris, text: "2", reference: UUID(random: .seeded(2)))
        let read = ReadOutbox(database: world.database)
        #expect(try await read(to: nil, limit: 10).map(\.text) == ["2", "1"])
        #expect(try await read(to: anna, limit: 10).map(\.text) == ["1"])
        #expect(try await read(to: nil, limit: 1).map(\.recipient) == [boris.e164])
    }

    @Test func `no code and no phone is in a table, a job or a log`() async throws {
        let world = try AuthWorld()
        // Restricted, so that codes have six digits: four could stand in some hash by chance.
        let phone = try PhoneNumber(parsing: "+79161234567")
        try await world.owner.execute(
            """
            insert into auth.throttle (scope, key, failures, restricted_until, touched_at)
            values
                ('phone', \(world.vault.index(phone)), 10, \(world.clock.now + .seconds(86_400)), \(world.clock.now))
            """)
        let challenge = try await world.challenge()
        let code = try await world.code(of: challenge)
        #expect(code.utf8.count == 6)
        let deliver = self.deliver(world, OutboxSMSGateway(database: world.database, clock: world.clock))
        try await deliver(challenge, sending: 1)
        _ = try await world.parts.routes.logIn(challenge, answer: code, device: DeviceName(userAgent: nil))
        let dump = try await world.dump()
        #expect(dump.contains("\(challenge)"), "the job names the challenge")
        #expect(!dump.contains(code))
        #expect(!dump.contains("9161234567"))
        #expect(!CapturedLogs.text.contains(code))
        #expect(!CapturedLogs.text.contains("9161234567"))
    }
}
