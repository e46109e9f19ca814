import Testing

@testable import JobQueue

@Suite struct FailureTests {
    private struct Leaky: Error, CustomStringConvertible {
        var description: String { "cannot text +79001234567" }
    }

    @Test func `of an unknown error only the type is written down, because its text may quote a member`() {
        let failure = Failure(Leaky())
        #expect(failure.code == "handler-failed")
        #expect(failure.detail == "Leaky")
        #expect(!failure.isPermanent)
        #expect(failure.retryAfter == nil)
    }

    @Test func `a handler's own word decides what becomes of the job`() {
        let permanent = Failure(JobFailure.permanent("no-such-card"))
        #expect(permanent == Failure(code: "no-such-card", isPermanent: true))
        let later = Failure(JobFailure.retry(after: .seconds(3), "busy"))
        #expect(later == Failure(code: "busy", retryAfter: .seconds(3)))
    }
}
