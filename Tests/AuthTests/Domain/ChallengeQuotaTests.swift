import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct ChallengeQuotaTests {
    private static let now = Timestamp(secondsSince1970: 1_772_435_400)
    private let quotas = ChallengeQuotas()

    /// So many moments, the newest a minute ago, each `apart` before the next.
    private static func moments(_ count: Int, apart: Duration = .seconds(60)) -> [Timestamp] {
        (0..<count).map { Self.now - .seconds(60) - apart * $0 }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let recent: RecentChallenges
        let quota: Quota?
        let testDescription: String

        init(_ testDescription: String, _ recent: RecentChallenges, _ quota: Quota?) {
            self.testDescription = testDescription
            self.recent = recent
            self.quota = quota
        }
    }

    static let cases: [Case] = [
        Case("nothing lately", RecentChallenges(), nil),
        Case("a phone's 4 in an hour", RecentChallenges(phone: moments(4)), nil),
        Case("a phone's 5 in an hour", RecentChallenges(phone: moments(5)), .phoneHour),
        Case("a phone's 9 in a day", RecentChallenges(phone: moments(9, apart: .seconds(7200))), nil),
        Case("a phone's 10 in a day", RecentChallenges(phone: moments(10, apart: .seconds(7200))), .phoneDay),
        Case("a network's 9 in an hour", RecentChallenges(network: moments(9)), nil),
        Case("a network's 10 in an hour", RecentChallenges(network: moments(10)), .networkHour),
        Case("a network's 4 other phones", RecentChallenges(network: moments(4), otherPhonesOfNetwork: 4), nil),
        Case(
            "a network's 5 other phones", RecentChallenges(network: moments(5), otherPhonesOfNetwork: 5),
            .networkPhones),
        Case("a prefix's 59 in an hour", RecentChallenges(prefix: moments(59, apart: .seconds(30))), nil),
        Case("a prefix's 60 in an hour", RecentChallenges(prefix: moments(60, apart: .seconds(30))), .prefixHour),
        Case("a paused prefix", RecentChallenges(prefixPausedUntil: now + .seconds(1)), .pumping),
        Case("a pause that is over", RecentChallenges(prefixPausedUntil: now), nil),
    ]

    @Test(arguments: cases)
    func `a challenge is handed out within every quota`(_ example: Case) {
        #expect(self.quotas.refusal(example.recent, at: Self.now)?.quota == example.quota)
    }

    @Test func `a refusal says when the oldest challenge leaves the window`() {
        let refusal = self.quotas.refusal(RecentChallenges(phone: Self.moments(5)), at: Self.now)
        #expect(refusal?.until == Self.now + .seconds(3600 - 300))
    }

    @Test func `the next day begins at midnight UTC`() {
        #expect(Timestamp(secondsSince1970: 86_399).startOfNextDay == Timestamp(secondsSince1970: 86_400))
        #expect(Timestamp(secondsSince1970: 86_400).startOfNextDay == Timestamp(secondsSince1970: 172_800))
    }
}

@Suite struct AbuseWatchTests {
    private let now = Timestamp(secondsSince1970: 1_772_435_400)

    @Test(arguments: [
        (sends: 19, challenges: 19, verified: 0, paused: false), (sends: 20, challenges: 20, verified: 0, paused: true),
        (sends: 20, challenges: 20, verified: 5, paused: true), (sends: 20, challenges: 20, verified: 6, paused: false),
        (sends: 20, challenges: 4, verified: 1, paused: true), (sends: 60, challenges: 60, verified: 50, paused: false),
    ])
    func `a prefix that is sent 20 messages and verifies under 30 per cent is paused for an hour`(
        sends: Int, challenges: Int, verified: Int, paused: Bool
    ) {
        let conversion = PumpingWatch.Conversion(sends: sends, challenges: challenges, verified: verified)
        let until = PumpingWatch().pausedUntil(conversion, at: self.now)
        #expect(until == (paused ? self.now + .seconds(3600) : nil))
    }

    @Test(
        arguments: [
            (recent: (49, 49), usual: (10_000, 500), raised: false),
            (recent: (100, 24), usual: (10_000, 500), raised: false),
            (recent: (100, 25), usual: (10_000, 500), raised: true), (recent: (100, 25), usual: (0, 0), raised: true),
            (recent: (100, 40), usual: (10_000, 1000), raised: false),
            (recent: (100, 95), usual: (10_000, 5000), raised: true),
        ] as [(recent: (Int64, Int64), usual: (Int64, Int64), raised: Bool)])
    func `five times the usual failure rate raises the alarm`(
        recent: (Int64, Int64), usual: (Int64, Int64), raised: Bool
    ) {
        let watch = FailureWatch()
        let isRaised = watch.isRaised(
            recent: FailureWatch.Checks(checks: recent.0, failures: recent.1),
            baseline: FailureWatch.Checks(checks: usual.0, failures: usual.1))
        #expect(isRaised == raised)
    }
}
