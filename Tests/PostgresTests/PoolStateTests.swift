import Testing

@testable import Postgres

/// Connections and waiters are plain numbers here: the pool's decisions need nothing else.
@Suite struct PoolStateTests {
    typealias State = PoolState<Int, String>
    private let start = ContinuousClock.now
    private let limits = PoolLimits(size: 2, waiting: 3, waitTimeout: .seconds(5), idleTimeout: .seconds(60))

    /// A pool whose connections 1…count are lent.
    private func pool(lent count: Int) -> State {
        var state = State(limits: self.limits)
        for number in 0..<count {
            _ = state.request("first\(number)", id: UInt64(1000 + number), now: self.start)
            _ = state.opened(number + 1, now: self.start)
        }
        return state
    }

    @Test func `the first caller has a connection opened and gets it`() throws {
        var state = State(limits: self.limits)
        #expect(state.takeIdle() == nil)
        let asked = state.request("a", id: 1, now: self.start)
        #expect(asked.open == 1)
        #expect(asked.lend == nil)
        let opened = state.opened(7, now: self.start)
        let lend = try #require(opened.lend)
        #expect(lend.connection == 7 && lend.waiter == "a")
        #expect(state.lentCount == 1 && state.waitingCount == 0)
    }

    @Test func `a returned connection is lent again without opening another`() {
        var state = self.pool(lent: 1)
        #expect(state.returned(1, isUsable: true, now: self.start).lend == nil)
        #expect(state.idleCount == 1)
        #expect(state.takeIdle() == 1)
        #expect(state.lentCount == 1)
    }

    @Test func `no more connections are opened than the pool is large`() {
        var state = self.pool(lent: 2)
        #expect(state.request("c", id: 3, now: self.start).open == 0)
        #expect(state.waitingCount == 1)
    }

    @Test func `waiters are served in the order they came`() {
        var state = self.pool(lent: 2)
        _ = state.request("a", id: 1, now: self.start)
        _ = state.request("b", id: 2, now: self.start)
        #expect(state.returned(2, isUsable: true, now: self.start).lend?.waiter == "a")
        #expect(state.returned(1, isUsable: true, now: self.start).lend?.waiter == "b")
    }

    @Test func `one waiter too many is refused at once`() throws {
        var state = self.pool(lent: 2)
        for id in 1...3 { #expect(state.request("w\(id)", id: UInt64(id), now: self.start).refuse.isEmpty) }
        let refusal = try #require(state.request("late", id: 4, now: self.start).refuse.first)
        #expect(refusal.waiter == "late" && refusal.error.code == .poolExhausted)
        #expect(state.waitingCount == 3)
    }

    @Test func `a cancelled waiter leaves the line and is answered once`() {
        var state = self.pool(lent: 2)
        _ = state.request("a", id: 1, now: self.start)
        _ = state.request("b", id: 2, now: self.start)
        #expect(state.cancel(1) == "a")
        #expect(state.cancel(1) == nil)
        #expect(state.returned(1, isUsable: true, now: self.start).lend?.waiter == "b")
    }

    @Test func `who waits too long is refused and others stay`() throws {
        var state = self.pool(lent: 2)
        let first = state.request("a", id: 1, now: self.start)
        #expect(!first.startTicking, "the clock runs already since the first caller waited for its connection")
        _ = state.request("b", id: 2, now: self.start + .seconds(2))
        let early = state.tick(now: self.start + .seconds(4))
        #expect(early.refuse.isEmpty && early.startTicking)
        let late = state.tick(now: self.start + .seconds(5))
        #expect(late.refuse.map(\.waiter) == ["a"] && late.refuse.first?.error.code == .poolTimeout)
        #expect(state.waitingCount == 1)
    }

    @Test func `a connection nobody wanted for long is closed and the clock stops`() {
        var state = self.pool(lent: 2)
        _ = state.returned(1, isUsable: true, now: self.start)
        _ = state.returned(2, isUsable: true, now: self.start + .seconds(30))
        let first = state.tick(now: self.start + .seconds(60))
        #expect(first.close == [1] && first.startTicking)
        let second = state.tick(now: self.start + .seconds(90))
        #expect(second.close == [2] && !second.startTicking)
    }

    @Test func `the connection used last is used first, so that too many grow old`() {
        var state = self.pool(lent: 2)
        _ = state.returned(1, isUsable: true, now: self.start)
        _ = state.returned(2, isUsable: true, now: self.start)
        #expect(state.takeIdle() == 2)
    }

    @Test func `a broken connection is closed and replaced for who waits`() {
        var state = self.pool(lent: 2)
        _ = state.request("a", id: 1, now: self.start)
        let actions = state.returned(1, isUsable: false, now: self.start)
        #expect(actions.close == [1] && actions.open == 1 && actions.lend == nil)
        #expect(state.opened(3, now: self.start).lend?.waiter == "a")
    }

    @Test func `an idle connection that was lost is not lent`() {
        var state = self.pool(lent: 1)
        _ = state.returned(1, isUsable: true, now: self.start)
        state.lost { $0 == 1 }
        #expect(state.takeIdle() == nil)
        #expect(state.request("a", id: 1, now: self.start).open == 1)
    }

    @Test func `when nothing can be opened and nothing is lent, all waiters hear of it`() {
        var state = State(limits: self.limits)
        _ = state.request("a", id: 1, now: self.start)
        _ = state.request("b", id: 2, now: self.start)
        _ = state.request("c", id: 3, now: self.start)
        let refused = DatabaseError(.cannotConnect)
        #expect(state.openFailed(refused).refuse.isEmpty, "another attempt is under way")
        let actions = state.openFailed(refused)
        #expect(actions.refuse.map(\.waiter) == ["a", "b", "c"])
        #expect(state.request("d", id: 4, now: self.start).open == 1, "the next caller tries again")
    }

    @Test func `while connections are lent, waiters go on waiting for those`() {
        var state = self.pool(lent: 1)
        _ = state.request("a", id: 1, now: self.start)
        #expect(state.openFailed(DatabaseError(.cannotConnect)).refuse.isEmpty)
        #expect(state.returned(1, isUsable: true, now: self.start).lend?.waiter == "a")
    }

    @Test func `a shutdown answers all, closes the idle and waits for the lent`() {
        var state = self.pool(lent: 2)
        _ = state.returned(1, isUsable: true, now: self.start)
        _ = state.takeIdle()
        for id in 1...3 { _ = state.request("w\(id)", id: UInt64(id), now: self.start) }
        let actions = state.shutdown()
        #expect(actions.refuse.count == 3 && actions.refuse.allSatisfy { $0.error.code == .poolClosed })
        #expect(!actions.isFinished)
        #expect(state.returned(1, isUsable: true, now: self.start).close == [1])
        #expect(state.returned(2, isUsable: true, now: self.start).isFinished)
        #expect(state.request("late", id: 9, now: self.start).refuse.first?.error.code == .poolClosed)
    }

    @Test func `a connection that opens after the shutdown is closed`() {
        var state = State(limits: self.limits)
        _ = state.request("a", id: 1, now: self.start)
        #expect(state.shutdown().isFinished)
        #expect(state.opened(1, now: self.start).close == [1])
    }

    /// Whatever happens in whatever order: never more connections than allowed, nobody answered twice or forgotten.
    @Test(arguments: 0..<50)
    func `after any sequence of events the books balance`(seed: UInt64) {
        var random = SplitMix(state: seed)
        var state = State(limits: self.limits)
        var (lent, opening, nextID, nextConnection) = ([Int](), 0, UInt64(0), 0)
        var (open, answered) = (Set<UInt64>(), Set<UInt64>())
        func take(_ actions: State.Actions) {
            opening += actions.open
            for waiter in actions.refuse.map(\.waiter) + (actions.lend.map { [$0.waiter] } ?? []) {
                let id = UInt64(waiter) ?? 0
                #expect(answered.insert(id).inserted, "answered twice")
                open.remove(id)
            }
            if let lend = actions.lend { lent.append(lend.connection) }
        }
        for _ in 0..<200 {
            let now = self.start + .milliseconds(Int64(random.next() % 10_000))
            switch random.next() % 6 {
            case 0, 1:
                nextID += 1
                open.insert(nextID)
                take(state.request("\(nextID)", id: nextID, now: now))
            case 2 where opening > 0:
                opening -= 1
                nextConnection += 1
                take(state.opened(nextConnection, now: now))
            case 3 where opening > 0:
                opening -= 1
                take(state.openFailed(DatabaseError(.cannotConnect)))
            case 4 where !lent.isEmpty:
                take(state.returned(lent.removeFirst(), isUsable: random.next() % 3 > 0, now: now))
            default:
                if let id = open.randomElement(using: &random), state.cancel(id) != nil { open.remove(id) }
            }
            #expect(state.lentCount == lent.count && state.openingCount == opening)
            #expect(state.lentCount + state.openingCount + state.idleCount <= self.limits.size)
            #expect(state.waitingCount == open.count)
            #expect(state.idleCount == 0 || state.waitingCount == 0, "nobody waits beside an idle connection")
        }
    }
}

/// A small generator with a seed: a failing sequence can be run again.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
