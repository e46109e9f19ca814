import HTTPTypes
import Hummingbird
import Kernel
import TestSupport
import Testing

@testable import Web

@Suite struct RateLimitTests {
    private let clock = ManualClock()

    private func admissions(_ limiter: RateLimiter, _ key: String, attempts: Int) -> Int {
        (0..<attempts).count { _ in (try? limiter.admit(key)) != nil }
    }

    @Test func `so many at once, then one for each part of the period`() {
        let limiter = RateLimiter(RateLimitPolicy(burst: 5, per: .seconds(10)), clock: self.clock)
        #expect(self.admissions(limiter, "a", attempts: 20) == 5)
        self.clock.advance(by: .milliseconds(1999))
        #expect(self.admissions(limiter, "a", attempts: 20) == 0)
        self.clock.advance(by: .milliseconds(1))
        #expect(self.admissions(limiter, "a", attempts: 20) == 1)
        self.clock.advance(by: .seconds(6))
        #expect(self.admissions(limiter, "a", attempts: 20) == 3)
        self.clock.advance(by: .seconds(1000))
        #expect(self.admissions(limiter, "a", attempts: 20) == 5)
    }

    @Test func `one who asks too often does not hinder another`() {
        let limiter = RateLimiter(RateLimitPolicy(burst: 2, per: .seconds(10)), clock: self.clock)
        #expect(self.admissions(limiter, "a", attempts: 100) == 2)
        #expect(self.admissions(limiter, "b", attempts: 100) == 2)
    }

    @Test func `asking in vain does not make the wait longer, and the wait that is told is right`() {
        let limiter = RateLimiter(RateLimitPolicy(burst: 1, per: .seconds(30)), clock: self.clock)
        #expect(self.admissions(limiter, "a", attempts: 1) == 1)
        self.clock.advance(by: .milliseconds(10_500))
        for _ in 0..<50 {
            let problem = #expect(throws: Problem.self) { try limiter.admit("a") }
            #expect(problem?.kind.code == "rate-limited")
            #expect(problem?.headers[.retryAfter] == "20")
        }
        self.clock.advance(by: .milliseconds(19_500))
        #expect(self.admissions(limiter, "a", attempts: 5) == 1)
    }

    @Test func `a clock that was set back keeps nobody out for longer than a period`() {
        let limiter = RateLimiter(RateLimitPolicy(burst: 1, per: .seconds(30)), clock: self.clock)
        #expect(self.admissions(limiter, "a", attempts: 1) == 1)
        self.clock.advance(by: .seconds(-3600))
        #expect(self.admissions(limiter, "a", attempts: 1) == 0)
        self.clock.advance(by: .seconds(30))
        #expect(self.admissions(limiter, "a", attempts: 1) == 1)
    }

    @Test func `however many there are, no more than the limit are remembered`() {
        var buckets = TokenBuckets(RateLimitPolicy(burst: 1, per: .seconds(60), bucketsLimit: 100))
        for number in 0..<10_000 {
            _ = buckets.take("client-\(number)", now: self.clock.now)
            #expect(buckets.count <= 100)
        }
    }

    @Test func `who is refused all the time is not forgotten among many others`() {
        var buckets = TokenBuckets(RateLimitPolicy(burst: 1, per: .seconds(60), bucketsLimit: 100))
        #expect(buckets.take("loud", now: self.clock.now) == nil)
        for number in 0..<10_000 {
            _ = buckets.take("client-\(number)", now: self.clock.now)
            if number.isMultiple(of: 20) { #expect(buckets.take("loud", now: self.clock.now) != nil) }
        }
    }

    @Test func `a route with a limit answers 429 and when to come again`() async throws {
        let limiter = RateLimiter(RateLimitPolicy(burst: 2, per: .seconds(60)), clock: self.clock)
        let house = House { router in
            router.group("/codes").add(middleware: RateLimit(limiter) { request, _ in request.headers[.userAgent] })
                .post { _, _ in Response(status: .accepted) }
        }
        let headers: HTTPFields = [.userAgent: "till-1"]
        for _ in 0..<2 { #expect(try await house.send(.post, "/codes", headers: headers).status == .accepted) }
        let refused = try await house.send(.post, "/codes", headers: headers)
        #expect(refused.status == .tooManyRequests)
        #expect(refused.headers[.retryAfter] == "30")
        #expect(try refused.problem.code == "rate-limited")
        #expect(try await house.send(.post, "/codes", headers: [.userAgent: "till-2"]).status == .accepted)
        for _ in 0..<5 { #expect(try await house.send(.post, "/codes").status == .accepted) }
    }
}
