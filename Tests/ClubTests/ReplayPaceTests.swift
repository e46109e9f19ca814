import Kernel
import Testing

@testable import Club

@Suite struct ReplayPaceTests {
    private let begin = Timestamp(secondsSince1970: 1_483_228_800)

    @Test(arguments: [(0, 0), (3600, 1800), (86_400, 43_200)])
    func `receipts are as far apart as they were, by the speed`(after: Int64, seconds: Int64) {
        let pace = ReplayPace(speed: 2, begin: self.begin)
        #expect(pace.delay(of: Timestamp(secondsSince1970: 1_483_228_800 + after)) == .seconds(seconds))
    }

    @Test func `a receipt from before the first is due at once`() {
        let pace = ReplayPace(speed: 2, begin: self.begin)
        #expect(pace.delay(of: Timestamp(secondsSince1970: 0)) == .zero)
    }

    @Test(.timeLimit(.minutes(1)))
    func `without a speed nothing waits, a year ahead or not`() async throws {
        let pace = ReplayPace(speed: nil, begin: self.begin)
        let later = Timestamp(secondsSince1970: 1_514_764_800)
        #expect(pace.delay(of: later) == .zero)
        try await pace.wait(for: later)
    }
}
