import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct RetentionTests {
    @Test func `yesterday's pepper is destroyed once no code of it can be valid`() async throws {
        let world = try AuthWorld()
        _ = try await world.challenge()
        world.clock.advance(by: .seconds(86_400 - 1))
        let last = try await world.challenge("+79160000001")
        #expect(try await world.count("auth.code_pepper") == 1)
        world.clock.advance(by: .seconds(1))
        _ = try await world.challenge("+79160000002")
        #expect(try await world.count("auth.code_pepper") == 2)

        world.clock.advance(by: .seconds(250))
        try await world.parts.keepHouse()
        guard
            case .registration = try await world.parts.routes.logIn(
                last, answer: world.code(of: last), device: DeviceName(userAgent: nil))
        else {
            Issue.record("a code stopped working before its time")
            return
        }
        // Codes by mail live the longest.
        world.clock.advance(by: MailCode.lifetime - .seconds(251))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.code_pepper") == 2)
        world.clock.advance(by: .seconds(1))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.code_pepper") == 1)
    }

    @Test func `challenges go when no quota counts them, failures stay for a month`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        _ = try await world.parts.routes.logIn(
            challenge, answer: world.wrongCode(for: challenge), device: DeviceName(userAgent: nil))
        world.clock.advance(by: .seconds(25 * 3600 - 1))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.challenge") == 1)
        world.clock.advance(by: .seconds(1))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.challenge") == 0)
        #expect(try await world.count("auth.sms") == 0)

        world.clock.advance(by: .seconds(2 * 86_400))
        try await world.parts.keepHouse()
        let left = try await world.owner.query("select scope from auth.throttle").map { try $0.decode(String.self) }
        #expect(left == ["phone"])
        world.clock.advance(by: .seconds(30 * 86_400))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.throttle") == 0)
    }

    @Test func `a session goes with its last token, a month after it`() async throws {
        let world = try AuthWorld()
        _ = try await world.register()
        world.clock.advance(by: .seconds(90 * 86_400 - 1))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.session") == 1)
        world.clock.advance(by: .seconds(1))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.session") == 0)
        #expect(try await world.count("auth.member") == 1)
    }
}
