import Kernel
import NIOConcurrencyHelpers

/// What a replay has done so far, counted by many tasks at once.
final class ReplayTally: Sendable {
    struct Counts: Sendable, Equatable {
        /// Receipts that were accepted now.
        var new = 0
        /// Receipts that had been accepted before.
        var known = 0
        /// Lines of the new and the known ones.
        var lines = 0
        /// Points of the new ones.
        var newPoints: Int64 = 0
        /// Points of the new and the known ones.
        var points: Int64 = 0
        /// Receipts that were refused, by the problem's code.
        var errors: [String: Int] = [:]
    }

    private let state = NIOLockedValueBox(Counts())

    var counts: Counts { self.state.withLockedValue { $0 } }

    func add(_ answer: TillClient.Answer, lines: Int) {
        self.state.withLockedValue { counts in
            switch answer {
            case .accepted(let points):
                counts.new += 1
                counts.newPoints += points
                counts.points += points
                counts.lines += lines
            case .known(let points):
                counts.known += 1
                counts.points += points
                counts.lines += lines
            case .refused(let code): counts.errors[code, default: 0] += 1
            }
        }
    }
}

/// How a replay ended, for people and for programs.
struct ReplaySummary: Encodable, Sendable, Equatable {
    var newReceipts: Int
    var knownReceipts: Int
    var lines: Int
    var newPoints: Int64
    var points: Int64
    var members: Int
    var newMembers: Int
    var errors: Int
    var errorsByCode: [String: Int]
    var seconds: Double
    var receiptsPerSecond: Double

    init(_ counts: ReplayTally.Counts, members: Int, newMembers: Int, took duration: Duration) {
        let seconds = max(duration / .seconds(1), 0.001)
        self.newReceipts = counts.new
        self.knownReceipts = counts.known
        self.lines = counts.lines
        self.newPoints = counts.newPoints
        self.points = counts.points
        self.members = members
        self.newMembers = newMembers
        self.errors = counts.errors.values.reduce(0, +)
        self.errorsByCode = counts.errors
        self.seconds = (seconds * 100).rounded() / 100
        self.receiptsPerSecond = (Double(counts.new + counts.known) / seconds * 10).rounded() / 10
    }

    var table: Table {
        var facts: [(name: String, value: String)] = [
            ("receipts", "\(self.newReceipts) new receipts, \(self.knownReceipts) already known"),
            ("lines", "\(self.lines)"),
            ("points", "\(self.points), of them \(self.newPoints) new"),
            ("members", "\(self.members), of them \(self.newMembers) new"),
            ("errors", "\(self.errors)"),
        ]
        for (code, count) in self.errorsByCode.sorted(by: { $0.key < $1.key }) {
            facts.append(("  \(code)", "\(count)"))
        }
        facts.append(("time", "\(self.seconds) s"))
        facts.append(("receipts/s", "\(self.receiptsPerSecond)"))
        return .facts(facts)
    }
}
