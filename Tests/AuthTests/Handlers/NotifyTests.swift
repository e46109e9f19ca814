import Contracts
import FoundationEssentials
import HTTPTypes
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// What the handler of `Notify` does, with the development gateways or with ones that fail in the way a test says.
@Suite(.authDatabase, .capturedLogs) struct NotifyTests {
    @Test func `a member without a device or an address is told by SMS, in Russian, and everybody hears of it`()
        async throws
    {
        let world = try AuthWorld()
        try await world.subscribe("promotions.events", to: "auth.notification-moved")
        let member = try await world.register().member
        let notice = world.notice(to: .member(member))
        try await world.parts.edge.deliver(notice)
        let messages = try await ReadOutbox(database: world.database)(to: nil, limit: 10)
        #expect(messages.first?.recipient == "+79161234567" && messages.first?.text == "Привет")
        #expect(try await world.standing(of: notice).state == .delivered)
        let news = try await world.news(of: notice)
        #expect(news == [NotificationMoved(id: notice.id, state: .delivered, channel: .sms, at: world.clock.now)])
    }

    @Test func `told twice is told once`() async throws {
        let sms = ScriptedGateway()
        let world = try AuthWorld(gateway: sms)
        let notice = world.notice(to: .phone(try PhoneNumber(parsing: "+79161234568")), by: [.sms])
        for _ in 0..<3 { try await world.parts.edge.deliver(notice) }
        #expect(sms.messages.count == 1)
        #expect(sms.messages.first?.reference == notice.id.raw)
    }

    @Test func `the verified address, the devices and the language of a member are used`() async throws {
        let (mail, push) = (ScriptedGateway(), ScriptedGateway())
        let world = try AuthWorld(outlets: {
            $0.mail = mail
            $0.push = push
        })
        let registered = try await world.register()
        try await world.setEmail("anna@example.org", of: registered.member)
        try await world.owner.execute("update auth.member set language = 'en' where member_id = \(registered.member)")
        let byMail = world.notice(to: .member(registered.member), by: [.email, .sms])
        try await world.parts.edge.deliver(byMail)
        #expect(mail.messages.map(\.recipient) == ["anna@example.org"] && mail.messages.first?.text == "Hello")
        try await world.client { client in
            let token = registered.tokens.accessToken
            let set = try await client.ask(
                .put, "/v1/me/device", #"{"platform":"ios","token":"device-1"}"#, token: token)
            #expect(set.status == 204)
            let byPush = world.notice(to: .member(registered.member))
            try await world.parts.edge.deliver(byPush)
            #expect(push.messages.map(\.recipient) == ["device-1"])
            #expect(try await world.standing(of: byPush).channel == "push")
            #expect(!(try await world.dump()).contains("device-1"))
            #expect(try await client.ask(.delete, "/v1/me/device", token: token).status == 204)
        }
        let after = world.notice(to: .member(registered.member), by: [.push])
        try await world.parts.edge.deliver(after)
        #expect(try await world.standing(of: after).reason == "unreachable")
    }

    @Test func `a device that is gone is forgotten`() async throws {
        let push = ScriptedGateway { _ in throw GatewayFailure.refused("gone") }
        let world = try AuthWorld(outlets: { $0.push = push })
        let registered = try await world.register()
        try await world.client { client in
            _ = try await client.ask(
                .put, "/v1/me/device", #"{"platform":"web","token":"d"}"#, token: registered.tokens.accessToken)
        }
        let notice = world.notice(to: .member(registered.member), by: [.push])
        try await world.parts.edge.deliver(notice)
        #expect(try await world.standing(of: notice).state == .undelivered)
        #expect(try await world.count("auth.device_token") == 0)
    }

    @Test func `an offer goes to those only who agreed to it by this way, with the way to stop, until they say stop`()
        async throws
    {
        let sms = ScriptedGateway()
        let world = try AuthWorld(gateway: sms)
        let member = try await world.register().member
        let before = world.notice(to: .member(member), .advertising, by: [.sms])
        try await world.parts.edge.deliver(before)
        #expect(try await world.standing(of: before).reason == "no-consent")
        try await world.consent(member, "marketing", "sms")
        let agreed = world.notice(to: .member(member), .advertising, by: [.sms])
        try await world.parts.edge.deliver(agreed)
        #expect(sms.messages.last?.text == "Привет\nОтказ: ответьте СТОП")
        let phone = try PhoneNumber(parsing: "+79161234567")
        #expect(try await !world.parts.edge.stop("что это?", from: phone))
        #expect(try await world.parts.edge.stop("Стоп!", from: phone))
        #expect(try await !world.parts.edge.stop("Стоп!", from: phone))
        #expect(try await !world.parts.edge.stop("Стоп!", from: PhoneNumber(parsing: "+79160000000")))
        world.clock.advance(by: .seconds(7 * 86_400))
        let after = world.notice(to: .member(member), .advertising, by: [.sms])
        try await world.parts.edge.deliver(after)
        #expect(try await world.standing(of: after).reason == "no-consent")
        let last = try await world.owner.one(
            "select granted, source from auth.consent order by consent_id desc limit 1")
        let (granted, source) = try last.decode(Bool.self, String.self)
        #expect(!granted && source == "reply")
        // Of somebody who is no member nobody knows a consent.
        let stranger = world.notice(to: .phone(phone), .advertising, by: [.sms])
        try await world.parts.edge.deliver(stranger)
        #expect(try await world.standing(of: stranger).reason == "no-consent")
    }

    @Test func `a member is reminded once a day and three times a week, also when many reminders come at once`()
        async throws
    {
        let sms = ScriptedGateway()
        let world = try AuthWorld(gateway: sms)
        let member = try await world.register().member
        try await world.consent(member, "reminders", "sms")
        let start = sms.messages.count
        try await world.openConnections()
        for day in 0..<5 {
            let notices = (0..<4).map { _ in world.notice(to: .member(member), .reminder, by: [.sms]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for notice in notices { group.addTask { try await world.parts.edge.deliver(notice) } }
                try await group.waitForAll()
            }
            #expect(sms.messages.count - start == min(day + 1, 3))
            world.clock.advance(by: .seconds(86_400))
        }
    }

    @Test func `at night a reminder waits for the morning, and a warning does not`() async throws {
        let world = try AuthWorld()
        let member = try await world.register().member
        try await world.consent(member, "reminders", "sms")
        world.clock.set(to: try #require(Timestamp("2026-03-02T20:30:00Z")))
        let reminder = world.notice(to: .member(member), .reminder, by: [.sms])
        let expected = JobFailure.snooze(for: .seconds(8 * 3600 + 1800))
        await #expect(throws: expected) { try await world.parts.edge.deliver(reminder) }
        #expect(try await world.standing(of: reminder).state == .waiting)
        let warning = world.notice(to: .member(member), .security, by: [.sms])
        try await world.parts.edge.deliver(warning)
        #expect(try await world.standing(of: warning).state == .delivered)
        world.clock.set(to: try #require(Timestamp("2026-03-03T05:00:00Z")))
        try await world.parts.edge.deliver(reminder)
        #expect(try await world.standing(of: reminder).state == .delivered)
    }

    @Test func `the night of a member is the night of the zone in the profile`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        try await world.consent(registered.member, "reminders", "sms")
        let token = registered.tokens.accessToken
        try await world.client { client in
            let edited = try await client.ask(.patch, "/v1/me", #"{"timeZone":"Asia/Kamchatka"}"#, token: token)
            #expect(edited.status == 200 && edited.text.contains(#""timeZone":"Asia/Kamchatka""#))
            let wrong = try await client.ask(.patch, "/v1/me", #"{"timeZone":"Mars/Olympus"}"#, token: token)
            #expect(wrong.status == 400)
            let export = try await client.ask(.get, "/v1/me/export", token: token)
            #expect(export.text.contains(#""field":"time-zone""#) && export.text.contains("Europe"))
        }
        // Half past eight in the evening in Moscow, half past five in the morning on Kamchatka.
        world.clock.set(to: try #require(Timestamp("2026-03-02T17:30:00Z")))
        let reminder = world.notice(to: .member(registered.member), .reminder, by: [.sms])
        await #expect(throws: JobFailure.snooze(for: .seconds(9000))) {
            try await world.parts.edge.deliver(reminder)
        }
        // Half past eight in the morning there, while Moscow sleeps.
        world.clock.set(to: try #require(Timestamp("2026-03-02T20:30:00Z")))
        try await world.parts.edge.deliver(reminder)
        #expect(try await world.standing(of: reminder).state == .delivered)
    }

    @Test
    func `a gateway that is down is tried again, one that refuses is not, and an unclear one gets time for a report`()
        async throws
    {
        let sms = ScriptedGateway { number in
            switch number {
            case 1: throw GatewayFailure.unavailable("down")
            case 2: throw GatewayFailure.unclear("silent")
            default: throw GatewayFailure.refused("never")
            }
        }
        let world = try AuthWorld(gateway: sms)
        try await world.subscribe("promotions.events", to: "auth.notification-moved")
        let notice = world.notice(to: .phone(try PhoneNumber(parsing: "+79161234568")), by: [.sms])
        await #expect(throws: GatewayFailure.unavailable("down")) { try await world.parts.edge.deliver(notice) }
        await #expect(throws: JobFailure.retry(after: .seconds(60), "gateway-unclear")) {
            try await world.parts.edge.deliver(notice)
        }
        // The report of the message whose answer was lost: nothing is sent again.
        #expect(try await world.parts.edge.takeReport(notice.id.raw, state: .accepted))
        try await world.parts.edge.deliver(notice)
        #expect(sms.messages.count == 2)
        #expect(try await world.standing(of: notice).state == .sent)
        let refused = world.notice(to: .phone(try PhoneNumber(parsing: "+79161234569")), by: [.sms])
        try await world.parts.edge.deliver(refused)
        #expect(try await world.standing(of: refused).state == .undelivered)
        #expect(try await world.news(of: refused).map(\.state) == [.undelivered])
    }

    @Test func `reports come twice and out of order, and a state only rises`() async throws {
        let world = try AuthWorld(gateway: ScriptedGateway())
        try await world.subscribe("promotions.events", to: "auth.notification-moved")
        let notice = world.notice(to: .phone(try PhoneNumber(parsing: "+79161234568")), by: [.sms])
        try await world.parts.edge.deliver(notice)
        let report = world.parts.edge.takeReport
        #expect(try await !report(notice.id.raw, state: .accepted))
        #expect(try await report(notice.id.raw, state: .delivered))
        #expect(try await !report(notice.id.raw, state: .failed))
        #expect(try await !report(notice.id.raw, state: .delivered))
        #expect(try await !report(UUID(), state: .delivered))
        #expect(try await world.news(of: notice).map(\.state) == [.sent, .delivered])
    }

    @Test func `of an erased member nothing is told, and of an unknown one neither`() async throws {
        let sms = ScriptedGateway()
        let world = try AuthWorld(gateway: sms)
        let member = try await world.register().member
        let count = sms.messages.count
        try await world.owner.execute("update auth.personal_data set wrapped_key = null where member_id = \(member)")
        let erased = world.notice(to: .member(member))
        try await world.parts.edge.deliver(erased)
        #expect(try await world.standing(of: erased).reason == "erased")
        let unknown = world.notice(to: .member(Member.ID(UUID())))
        try await world.parts.edge.deliver(unknown)
        #expect(try await world.standing(of: unknown).reason == "unreachable")
        #expect(sms.messages.count == count)
    }

    @Test func `the day's budget of messages holds for what is told as well`() async throws {
        var policy = AuthPolicy.unlimitedNetwork
        policy.quotas.messagesPerDay = 2
        let sms = ScriptedGateway()
        let world = try AuthWorld(policy: policy, gateway: sms)
        let phone = try PhoneNumber(parsing: "+79161234568")
        for _ in 0..<2 { try await world.parts.edge.deliver(world.notice(to: .phone(phone), by: [.sms])) }
        await #expect(throws: JobFailure.self) {
            try await world.parts.edge.deliver(world.notice(to: .phone(phone), by: [.sms]))
        }
        try await world.parts.edge.deliver(world.notice(to: .phone(phone), .security, by: [.sms]))
        #expect(sms.messages.count == 3)
    }

    @Test func `no phone, address or text is left in the tables`() async throws {
        let world = try AuthWorld(gateway: ScriptedGateway())
        let phone = try PhoneNumber(parsing: "+79161234568")
        try await world.parts.edge.deliver(world.notice(to: .phone(phone), by: [.sms]))
        let dump = try await world.dump()
        #expect(!dump.contains("9161234568") && !dump.contains("Привет"))
        #expect(!CapturedLogs.text.contains("9161234568") && !CapturedLogs.text.contains("Привет"))
    }
}
