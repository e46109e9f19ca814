import Kernel
import Testing

@testable import JobQueue

@Suite struct WorkerStateTests {
    private func plan(_ number: Int16, slots: Int = 2, isBatched: Bool = false) -> WorkerState.Plan {
        WorkerState.Plan(
            number: number, name: "alpha.q", slots: slots, capacity: slots * 4, refill: slots * 2, isBatched: isBatched,
            batchLimit: 10, lease: .seconds(30))
    }

    private func jobs(
        _ count: Int, of queue: Int16, from first: Int = 0, attempt: Int16 = 1, worker: Int32 = 1
    ) -> [Assignment] {
        (first..<first + count).map { number in
            Assignment(
                job: ClaimedJob(
                    id: JobID(Int64(number)), attempt: attempt, queue: queue, kind: "k", version: 1, arguments: [],
                    headers: JobHeaders(), cause: nil, replyTo: nil, deadline: nil,
                    place: QueuePosition(priority: 2, rank: Int64(number))),
                worker: worker, expires: .now)
        }
    }

    private func requests(_ state: WorkerState) -> [ClaimRequest] {
        var state = state
        return if case .claim(let requests) = state.step(canHear: true, jitter: 0.5) { requests } else { [] }
    }

    @Test func `a new worker looks everywhere, announces, looks again and waits`() {
        var state = WorkerState([self.plan(1), self.plan(2)])
        #expect(self.requests(state).map(\.queue) == [1, 2])
        _ = state.claimed(self.requests(state), [], [])
        #expect(state.step(canHear: true, jitter: 0.5) == .announce)
        state.announced()
        #expect(self.requests(state).map(\.queue) == [1, 2])
        _ = state.claimed(self.requests(state), [], [])
        #expect(state.step(canHear: true, jitter: 0.5) == .wait(upTo: SleepProtocol.shortestPoll, isIdle: true))
    }

    @Test func `after an answer that was lost it announces anew, because a bell may have rung in the outage`() {
        var state = WorkerState([self.plan(1)])
        _ = state.claimed(self.requests(state), [], [])
        state.announced()
        _ = state.claimed(self.requests(state), [], [])
        state.lostAnswer()
        #expect(state.mustDisown)
        _ = state.claimed(self.requests(state), [], [])
        #expect(state.step(canHear: true, jitter: 0.5) == .announce)
    }

    @Test func `no more is asked for than can be held, and only when half of it is worked off`() {
        var state = WorkerState([self.plan(1)])
        #expect(self.requests(state) == [ClaimRequest(queue: 1, limit: 8, isBatched: false)])
        #expect(state.claimed(self.requests(state), self.jobs(8, of: 1), []) == [1])
        #expect(state.starts() == [.slot(queue: 1), .slot(queue: 1)])
        #expect(self.requests(state).isEmpty)
        for _ in 0..<5 { _ = state.nextJob(of: 1) }
        // Two run, three wait.
        #expect(self.requests(state).isEmpty)
        _ = state.nextJob(of: 1)
        #expect(self.requests(state).map(\.limit) == [4])
        #expect(state.wantsMore(of: 1))
    }

    @Test func `a look that brought less than it asked for is not repeated until somebody rings`() {
        var state = WorkerState([self.plan(1)])
        #expect(state.claimed(self.requests(state), self.jobs(3, of: 1), []) == [])
        #expect(self.requests(state).isEmpty)
        state.heard(isBell: false)
        #expect(self.requests(state).count == 1)
    }

    @Test func `a slot ends when nothing waits, and a stop lets nothing begin`() {
        var state = WorkerState([self.plan(1)])
        _ = state.claimed(self.requests(state), self.jobs(3, of: 1), [])
        #expect(state.starts().count == 2)
        #expect(state.nextJob(of: 1)?.job.id == JobID(0))
        state.stop()
        #expect(state.nextJob(of: 1) == nil)
        #expect(state.nextJob(of: 1) == nil)
        #expect(!state.hasTasks)
        #expect(state.dropWaiting().map(\.job.id) == [JobID(1), JobID(2)])
        #expect(state.starts().isEmpty)
    }

    @Test func `what is in hand is known until it is settled`() {
        var state = WorkerState([self.plan(1)])
        _ = state.claimed(self.requests(state), self.jobs(2, of: 1), [])
        state.isolated([JobID(9)])
        #expect(state.known == [JobID(0), JobID(1), JobID(9)])
        state.settled(JobID(1))
        #expect(state.known == [JobID(0), JobID(9)])
        _ = state.dropWaiting()
        #expect(state.known == [JobID(9)])
    }

    @Test func `a leased batch has first attempts of one number, a repeated one comes alone`() {
        var state = WorkerState([self.plan(1)])
        var jobs = self.jobs(13, of: 1)
        jobs.insert(contentsOf: self.jobs(1, of: 1, from: 20, attempt: 2), at: 11)
        jobs += self.jobs(1, of: 1, from: 30, worker: 2)
        _ = state.claimed(self.requests(state), jobs, [])
        #expect(state.starts().count == 2)
        let batches = (0..<5).map { _ in state.nextBatch(of: 1).map(\.job.id.raw) }
        #expect(batches == [Array(0...9), [10], [20], [11, 12], [30]])
        // All that was handed out is known until it is settled, and the slots end when there is nothing more.
        #expect(state.known.count == 15)
        #expect(state.nextBatch(of: 1).isEmpty)
        #expect(state.hasTasks)
        #expect(state.nextBatch(of: 1).isEmpty)
        #expect(!state.hasTasks)
    }

    @Test func `one runner takes a batched queue, and calls for another while its batches are full`() {
        var state = WorkerState([self.plan(1, isBatched: true)])
        _ = state.claimed(self.requests(state), [], [1])
        #expect(state.starts() == [.runner(queue: 1, number: 0)])
        #expect(state.runner(0, of: 1, took: 10) == true)
        #expect(state.wantsRunner(of: 1))
        #expect(state.starts() == [.runner(queue: 1, number: 1)])
        // As many as there are slots, no more.
        #expect(state.runner(0, of: 1, took: 10) == true)
        #expect(state.starts().isEmpty)
        #expect(state.runner(1, of: 1, took: 4) == false)
        #expect(state.hasTasks)
        #expect(state.runner(0, of: 1, took: 0) == false)
        #expect(!state.hasTasks)
    }

    @Test func `a runner that is asked for while it works takes once more`() {
        var state = WorkerState([self.plan(1, isBatched: true)])
        _ = state.claimed(self.requests(state), [], [1])
        _ = state.starts()
        state.heard(isBell: true)
        _ = state.claimed(self.requests(state), [], [1])
        #expect(state.starts().isEmpty)
        #expect(state.runner(0, of: 1, took: 3) == true)
        #expect(state.runner(0, of: 1, took: 3) == false)
    }

    @Test func `jobs that another process holds in its transaction do not make a runner spin`() {
        var state = WorkerState([self.plan(1, isBatched: true)])
        _ = state.claimed(self.requests(state), [], [1])
        _ = state.starts()
        #expect(state.runner(0, of: 1, took: 0) == false)
        #expect(self.requests(state).isEmpty)
        #expect(state.starts().isEmpty)
    }

    @Test func `whoever takes batches already is not asked whether there are any, but looks once more`() {
        var state = WorkerState([self.plan(1, isBatched: true)])
        #expect(self.requests(state).map(\.asks) == [true])
        _ = state.claimed(self.requests(state), [], [1])
        _ = state.starts()
        state.heard(isBell: false)
        #expect(self.requests(state).map(\.asks) == [false])
        _ = state.claimed(self.requests(state), [], [])
        #expect(state.runner(0, of: 1, took: 3) == true)
        #expect(state.runner(0, of: 1, took: 3) == false)
        #expect(self.requests(state).isEmpty)
    }

    @Test func `a ring that came while the last batch was taken is looked after when its runner has ended`() {
        var state = WorkerState([self.plan(1, isBatched: true)])
        _ = state.claimed(self.requests(state), [], [1])
        _ = state.starts()
        state.heard(isBell: false)
        let asked = self.requests(state)
        _ = state.claimed(asked, [], [])
        #expect(state.runner(0, of: 1, took: 0) == false)
        #expect(self.requests(state).map(\.asks) == [true])

        // The runner ends between the question and its answer.
        _ = state.claimed(self.requests(state), [], [1])
        _ = state.starts()
        state.heard(isBell: false)
        let again = self.requests(state)
        #expect(state.runner(0, of: 1, took: 0) == false)
        _ = state.claimed(again, [], [])
        #expect(state.starts().isEmpty)
        #expect(self.requests(state).map(\.asks) == [true])
    }
}
