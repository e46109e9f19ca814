import Kernel
import NIOConcurrencyHelpers

/// What clients were told, and when: they know nothing else.
final class BankHistory: Sendable {
    typealias Moment = ContinuousClock.Instant

    struct Receipt: Sendable {
        let fiscal: Int64
        let member: Member.ID
        let expected: Int64
        let answer: Bank.Answer
    }

    struct Payment: Sendable {
        let hold: Hold.ID
        let member: Member.ID
        let points: Int64
        /// The end that was asked for: how many points were taken, 0 for none; nil when it was left to time.
        let taken: Int64?
        let ended: Bank.Answer
        let start: Moment
        let end: Moment
    }

    struct Read: Sendable {
        let member: Member.ID
        let available: Int64
        let held: Int64
        let start: Moment
        let end: Moment
    }

    private struct State {
        var receipts: [Receipt] = []
        var payments: [Payment] = []
        var reads: [Read] = []
        var refusals: [String: Int] = [:]
    }

    private let state = NIOLockedValueBox(State())

    func add(_ receipt: Receipt) { self.state.withLockedValue { $0.receipts.append(receipt) } }
    func add(_ payment: Payment) { self.state.withLockedValue { $0.payments.append(payment) } }
    func add(_ read: Read) { self.state.withLockedValue { $0.reads.append(read) } }
    func addRefusal(_ code: String) { self.state.withLockedValue { $0.refusals[code, default: 0] += 1 } }

    var receipts: [Receipt] { self.state.withLockedValue(\.receipts) }
    var payments: [Payment] { self.state.withLockedValue(\.payments) }
    var reads: [Read] { self.state.withLockedValue(\.reads) }
    var refusals: [String: Int] { self.state.withLockedValue(\.refusals) }

    /// How many deeds were acknowledged.
    var acknowledged: Int {
        self.state.withLockedValue { state in
            state.receipts.count(where: { $0.answer.isDone }) + state.payments.count(where: { $0.ended.isDone })
        }
    }
}

extension Bank.Answer {
    var isDone: Bool { if case .done = self { true } else { false } }
}

/// Whether reads fit the member's history in the books, in the order of real time: a read sees one state of the
/// history, not an older one than a read that was over before, nor one older than what was acknowledged before it
/// began, nor one that was asked for only after it.
struct ReadCheck {
    /// The balances after each transaction, oldest first; version 0 is nothing.
    let versions: [(available: Int64, held: Int64)]
    /// Transactions whose moments clients know.
    let writes: [(version: Int, start: BankHistory.Moment, end: BankHistory.Moment)]

    /// The reads that fit no version. The lowest that fits leaves most room to those that come later.
    func anomalies(_ reads: [BankHistory.Read]) -> [String] {
        var (found, seen) = ([String](), [(version: Int, end: BankHistory.Moment)]())
        let states = [(available: Int64(0), held: Int64(0))] + self.versions
        for read in reads.sorted(by: { $0.start < $1.start }) {
            let shown = seen.filter { $0.end < read.start }.map(\.version).max() ?? 0
            let written = self.writes.filter { $0.end < read.start }.map(\.version).max() ?? 0
            let future = self.writes.filter { $0.start > read.end }.map(\.version).min() ?? .max
            let least = max(shown, written)
            let version = states.indices.first {
                $0 >= least && $0 < future && states[$0] == (read.available, read.held)
            }
            guard let version else {
                found.append("\(read.available)/\(read.held) fits no version from \(least) on, before \(future)")
                continue
            }
            seen.append((version, read.end))
        }
        return found
    }
}
