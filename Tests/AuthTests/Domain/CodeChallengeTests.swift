import Kernel
import TestSupport
import Testing

@testable import Auth

@Suite struct CodeChallengeTests {
    private let rules = ChallengeRules()
    private let start = Timestamp(secondsSince1970: 1_772_435_400)

    private func opened() -> CodeChallenge {
        CodeChallenge(opening: IDGenerator.seeded().next(), digits: .four, at: self.start, rules: self.rules)
    }

    @Test func `a code lives five minutes`() {
        #expect(self.opened().expiresAt == self.start + .seconds(300))
    }

    @Test func `resends are allowed after 30, 60, 120 and 300 seconds and no fifth time`() throws {
        var challenge = self.opened()
        for wait in [30, 60, 120, 300] {
            let moment = challenge.sentAt + .seconds(wait)
            #expect(challenge.resendAt(self.rules) == moment)
            let early = moment - .microseconds(1)
            #expect(throws: CodeChallenge.ResendRefusal.tooEarly(until: moment)) {
                try challenge.resent(at: early, rules: self.rules)
            }
            challenge = try challenge.resent(at: moment, rules: self.rules)
        }
        #expect(challenge.sends == 5)
        #expect(challenge.resendAt(self.rules) == nil)
        #expect(throws: CodeChallenge.ResendRefusal.closed) {
            try challenge.resent(at: challenge.sentAt + .seconds(1), rules: self.rules)
        }
    }

    @Test func `a resend starts the five minutes again, but no challenge gets older than ten`() throws {
        let once = try self.opened().resent(at: self.start + .seconds(200), rules: self.rules)
        #expect(once.expiresAt == self.start + .seconds(500))
        let twice = try once.resent(at: self.start + .seconds(400), rules: self.rules)
        #expect(twice.expiresAt == self.start + .seconds(600))
        #expect(throws: CodeChallenge.ResendRefusal.closed) {
            try twice.resent(at: self.start + .seconds(600), rules: self.rules)
        }
    }

    @Test func `no code is sent again after it was right`() {
        let verified = CodeChallenge(
            id: IDGenerator.seeded().next(), digits: .four, sends: 1, createdAt: self.start, sentAt: self.start,
            expiresAt: self.start + .seconds(300), isVerified: true)
        #expect(verified.resendAt(self.rules) == nil)
        #expect(throws: CodeChallenge.ResendRefusal.closed) {
            try verified.resent(at: self.start + .seconds(60), rules: self.rules)
        }
    }
}
