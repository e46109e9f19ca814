import Contracts
import Kernel
import Testing

@testable import Auth

@Suite struct NoticePolicyTests {
    private let policy = NoticePolicy()
    /// Noon and eleven at night in Moscow.
    private let noon = Timestamp("2026-11-23T09:00:00Z")
    private let night = Timestamp("2026-11-23T20:00:00Z")

    private func choose(
        _ purpose: Notify.Purpose, _ channels: [Notify.Channel] = [.push, .sms, .email], at now: Timestamp?,
        notBefore: String? = nil, expiresAt: String? = nil,
        reach: NoticePolicy.Reach = .init(possible: [.sms, .email], agreed: [.sms, .email])
    ) throws -> NoticePolicy.Choice {
        self.policy.choose(
            purpose, by: channels, notBefore: notBefore.flatMap { Timestamp($0) },
            expiresAt: expiresAt.flatMap { Timestamp($0) }, reach: reach, at: try #require(now))
    }

    @Test func `the first way that is possible is taken`() throws {
        #expect(try self.choose(.service, at: self.noon) == .tell(.sms))
        #expect(try self.choose(.service, [.email, .sms], at: self.noon) == .tell(.email))
        #expect(try self.choose(.service, [.push], at: self.noon) == .suppress(.unreachable))
        #expect(try self.choose(.service, [], at: self.noon) == .suppress(.unreachable))
    }

    @Test(arguments: [Notify.Purpose.reminder, .advertising])
    func `offers and reminders need a consent for their way`(purpose: Notify.Purpose) throws {
        let email = NoticePolicy.Reach(possible: [.sms, .email], agreed: [.email, .push])
        #expect(try self.choose(purpose, at: self.noon, reach: email) == .tell(.email))
        let none = NoticePolicy.Reach(possible: [.sms, .email])
        #expect(try self.choose(purpose, at: self.noon, reach: none) == .suppress(.noConsent))
        #expect(try self.choose(.service, at: self.noon, reach: none) == .tell(.sms))
        #expect(try self.choose(.security, at: self.noon, reach: none) == .tell(.sms))
    }

    @Test
    func `at night offers and reminders wait, a service message takes a silent way, and security waits for nothing`()
        throws
    {
        let morning = NoticePolicy.Choice.wait(until: try #require(Timestamp("2026-11-24T05:00:00Z")))
        #expect(try self.choose(.reminder, at: self.night) == morning)
        #expect(try self.choose(.advertising, [.email], at: self.night) == morning)
        #expect(try self.choose(.service, at: self.night) == .tell(.email))
        #expect(try self.choose(.service, [.sms], at: self.night) == morning)
        #expect(try self.choose(.security, at: self.night) == .tell(.sms))
    }

    @Test(
        arguments: [
            (MemberZone.kamchatka, "2026-11-23T10:00:00Z", "2026-11-23T20:00:00Z"),
            (.kamchatka, "2026-11-23T20:00:00Z", nil), (.vladivostok, "2026-11-23T21:59:59Z", "2026-11-23T22:00:00Z"),
            (.kaliningrad, "2026-11-23T19:59:59Z", nil), (.kaliningrad, "2026-11-23T20:00:00Z", "2026-11-24T06:00:00Z"),
            (.moscow, "2026-11-23T20:00:00Z", "2026-11-24T05:00:00Z"),
        ] as [(MemberZone, String, String?)])
    func `the night is the night of where the member lives`(zone: MemberZone, at: String, morning: String?) throws {
        let reach = NoticePolicy.Reach(possible: [.email], agreed: [.email], zone: zone.offset)
        let choice = try self.choose(.advertising, [.email], at: Timestamp(at), reach: reach)
        if let morning {
            #expect(try choice == .wait(until: #require(Timestamp(morning))))
        } else {
            #expect(choice == .tell(.email))
        }
    }

    /// Ten in the morning in Vladivostok is night in Moscow: the sender of a gift knows better.
    @Test func `an hour that was chosen for this person holds no service message back, and nothing else gains by it`()
        throws
    {
        let morning = NoticePolicy.Choice.wait(until: try #require(Timestamp("2026-11-24T05:00:00Z")))
        let reach = NoticePolicy.Reach(possible: [.sms], agreed: [.sms])
        for (purpose, choice) in [(Notify.Purpose.service, .tell(.sms)), (.reminder, morning), (.advertising, morning)]
        {
            #expect(
                self.policy.choose(
                    purpose, by: [.sms], notBefore: nil, expiresAt: nil, reach: reach, isHourChosen: true,
                    at: try #require(self.night)) == choice)
        }
    }

    @Test(arguments: [
        ("2026-11-23T18:59:59Z", nil), ("2026-11-23T19:00:00Z", "2026-11-24T05:00:00Z"),
        ("2026-11-23T21:00:00Z", "2026-11-24T05:00:00Z"), ("2026-11-24T04:59:59Z", "2026-11-24T05:00:00Z"),
        ("2026-11-24T05:00:00Z", nil),
    ])
    func `quiet hours are from 22 to 8 in Moscow`(now: String, end: String?) throws {
        #expect(self.policy.endOfQuiet(at: try #require(Timestamp(now))) == end.flatMap { Timestamp($0) })
    }

    @Test func `what is too early waits, and what is of no use any more is not told`() throws {
        let later = "2026-11-23T10:00:00Z"
        #expect(
            try self.choose(.service, at: self.noon, notBefore: later) == .wait(until: #require(Timestamp(later))))
        #expect(try self.choose(.service, at: self.noon, expiresAt: "2026-11-23T09:00:00Z") == .suppress(.expired))
        #expect(
            try self.choose(.service, at: self.noon, notBefore: later, expiresAt: later) == .suppress(.expired))
        // It would be of no use in the morning.
        #expect(
            try self.choose(.reminder, at: self.night, expiresAt: "2026-11-24T04:00:00Z") == .suppress(.expired))
    }

    @Test func `caps hold for reminders and offers, a day and a week`() throws {
        let reached: [(Notify.Purpose, Int, Int)] = [
            (.reminder, 1, 1), (.reminder, 0, 3), (.advertising, 1, 1), (.advertising, 0, 2),
        ]
        for (purpose, day, week) in reached {
            let reach = NoticePolicy.Reach(possible: [.sms], agreed: [.sms], lastDay: day, lastWeek: week)
            #expect(try self.choose(purpose, at: self.noon, reach: reach) == .suppress(.cap))
            #expect(try self.choose(.service, at: self.noon, reach: reach) == .tell(.sms))
        }
        let below = NoticePolicy.Reach(possible: [.sms], agreed: [.sms], lastDay: 0, lastWeek: 2)
        #expect(try self.choose(.reminder, at: self.noon, reach: below) == .tell(.sms))
    }

    @Test(arguments: [
        ("СТОП", true), (" стоп. ", true), ("Stop", true), ("«Стоп»!", true), ("отписаться", true),
        ("не стоп", false), ("стоп реклама", false), ("", false), ("да", false),
    ])
    func `a stop is the word alone, however it is written`(text: String, isStop: Bool) {
        #expect(StopWord.isIn(text) == isStop)
    }
}
