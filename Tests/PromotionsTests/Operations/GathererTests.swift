import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Promotions

/// A work that a test lets go on when it wants to, and that fails for those inputs that it is told to.
private final class HeldWork: Sendable {
    private struct State {
        var batches: [[Int]] = []
        var bad: Set<Int> = []
    }

    struct Failure: Error {}

    let started = Signal<[Int]>()
    let go = Signal<Void>()
    private let state = NIOLockedValueBox(State())

    init(bad: Set<Int> = []) {
        self.state.withLockedValue { $0.bad = bad }
    }

    var batches: [[Int]] { self.state.withLockedValue { $0.batches } }

    /// The first work waits for the signal; the others run through.
    func callAsFunction(_ inputs: [Int]) async throws -> [Int] {
        let (isFirst, isBad) = self.state.withLockedValue { state in
            state.batches.append(inputs)
            return (state.batches.count == 1, !state.bad.isDisjoint(with: inputs))
        }
        if isFirst {
            self.started.send(inputs)
            try await self.go.next()
        }
        if isBad { throw Failure() }
        return inputs.map { $0 * 10 }
    }
}

@Suite struct GathererTests {
    /// One work runs; the inputs wait for it in this order.
    private func gather(
        _ inputs: [Int], behind work: HeldWork, sizeMax: Int = 100
    ) async throws -> [Int: Result<Int, any Error>] {
        let gatherer = Gatherer<Int, Int>(width: 1, sizeMax: sizeMax, waitingMax: 100) { try await work($0) }
        return try await withThrowingTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
            func ask(_ input: Int) {
                group.addTask {
                    do { return (input, .success(try await gatherer(input))) } catch { return (input, .failure(error)) }
                }
            }
            ask(0)
            _ = try await work.started.next()
            for (index, input) in inputs.enumerated() {
                ask(input)
                try await eventually("\(input) waits") { gatherer.waiting == index + 1 }
            }
            work.go.send()
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    @Test func `whoever comes alone is served alone, at once`() async throws {
        let gatherer = Gatherer<Int, Int>(width: 1, sizeMax: 10, waitingMax: 100) { $0.map { $0 + 1 } }
        #expect(try await gatherer(1) == 2)
        #expect(try await gatherer(2) == 3)
        #expect(gatherer.waiting == 0)
    }

    @Test func `those who wait are served together, each with its own answer`() async throws {
        let work = HeldWork()
        let answers = try await self.gather([1, 2, 3, 4, 5], behind: work, sizeMax: 3)
        #expect(work.batches == [[0], [1, 2, 3], [4, 5]])
        #expect(try answers.mapValues { try $0.get() } == [0: 0, 1: 10, 2: 20, 3: 30, 4: 40, 5: 50])
    }

    @Test func `nobody fails by what another brought`() async throws {
        let work = HeldWork(bad: [2])
        let answers = try await self.gather([1, 2, 3], behind: work)
        #expect(work.batches.prefix(2) == [[0], [1, 2, 3]])
        #expect(Set(work.batches.dropFirst(2)) == [[1], [2], [3]])
        #expect(throws: HeldWork.Failure.self) { try answers[2]?.get() }
        #expect(try answers[1]?.get() == 10)
        #expect(try answers[3]?.get() == 30)
    }

    @Test func `whoever is cancelled while waiting takes nobody along`() async throws {
        let work = HeldWork()
        let gatherer = Gatherer<Int, Int>(width: 1, sizeMax: 10, waitingMax: 100) { try await work($0) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await gatherer(0) }
            _ = try await work.started.next()
            let cancelled = Task { try await gatherer(1) }
            try await eventually("1 waits") { gatherer.waiting == 1 }
            group.addTask { try await gatherer(2) }
            try await eventually("2 waits") { gatherer.waiting == 2 }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            work.go.send()
            let answers = try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            #expect(answers == [0, 20])
            #expect(work.batches == [[0], [2]])
        }
    }

    @Test func `when the one who works is cancelled, the others work for themselves`() async throws {
        let first = HeldWork()
        let gatherer = Gatherer<Int, Int>(width: 1, sizeMax: 10, waitingMax: 100) { try await first($0) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            let leader = Task { try await gatherer(0) }
            _ = try await first.started.next()
            for input in 1...3 { group.addTask { try await gatherer(input) } }
            try await eventually("three wait") { gatherer.waiting == 3 }
            leader.cancel()
            await #expect(throws: (any Error).self) { try await leader.value }
            let answers = try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            #expect(answers == [10, 20, 30])
        }
        #expect(gatherer.waiting == 0)
        #expect(try await gatherer(7) == 70)
    }

    @Test func `more than may wait are turned away at once`() async throws {
        let work = HeldWork()
        let gatherer = Gatherer<Int, Int>(width: 1, sizeMax: 10, waitingMax: 1) { try await work($0) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await gatherer(0) }
            _ = try await work.started.next()
            group.addTask { try await gatherer(1) }
            try await eventually("1 waits") { gatherer.waiting == 1 }
            await #expect(throws: TooManyWaiting.self) { try await gatherer(2) }
            work.go.send()
            #expect(try await group.reduce(into: Set<Int>()) { $0.insert($1) } == [0, 10])
        }
    }

    @Test func `many callers on few works all get their own answer`() async throws {
        let sizes = NIOLockedValueBox<[Int]>([])
        let gatherer = Gatherer<Int, Int>(width: 3, sizeMax: 8, waitingMax: 500) { inputs in
            sizes.withLockedValue { $0.append(inputs.count) }
            await Task.yield()
            return inputs.map { $0 * 10 }
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for input in 0..<500 { group.addTask { try await gatherer(input) == input * 10 } }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(gatherer.waiting == 0)
        #expect(sizes.withLockedValue { $0.allSatisfy { $0 <= 8 } })
        #expect(sizes.withLockedValue { $0.reduce(0, +) } == 500)
    }
}
