import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// A step of somebody's account: steps of one account are done in the order of sending, one at a time.
struct AccountStep: Command {
    static let name = "alpha.step"
    static let queue: QueueName = "alpha.steps"
    var account: String
    var number: Int
    var orderingKey: String? { self.account }
}

/// Guarantee: jobs of one key run one at a time and in order, whatever happens to them; other keys are not held up.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct KeyTests {
    private static func queue(
        atATime: Int = 1, attempts: Int = 20, onDead: QueueDeclaration.OnDead = .release, slots: Int = 8
    ) -> QueueDeclaration {
        QueueDeclaration(
            AccountStep.queue, attemptsMax: attempts, backoff: Backoff(base: .milliseconds(5), jitter: 0),
            onDead: onDead,
            slots: slots, order: .byKey(atATime: atATime))
    }

    /// What was done, in the order of doing.
    private final class Diary: Sendable {
        private let state = NIOLockedValueBox<(done: [AccountStep], running: [String: Int], most: Int)>(([], [:], 0))
        var done: [AccountStep] { self.state.withLockedValue(\.done) }
        /// How many of one key ever ran at the same time.
        var mostOfAKey: Int { self.state.withLockedValue(\.most) }

        func begin(_ step: AccountStep) {
            self.state.withLockedValue { state in
                state.running[step.account, default: 0] += 1
                state.most = max(state.most, state.running[step.account] ?? 0)
            }
        }

        func end(_ step: AccountStep, isDone: Bool) {
            self.state.withLockedValue { state in
                state.running[step.account, default: 0] -= 1
                if isDone { state.done.append(step) }
            }
        }

        func numbers(of account: String) -> [Int] { self.done.filter { $0.account == account }.map(\.number) }
    }

    private func steps(_ accounts: Int, each count: Int) -> [AccountStep] {
        (1...count).flatMap { number in (1...accounts).map { AccountStep(account: "a\($0)", number: number) } }
    }

    @Test(arguments: [false, true])
    func `steps of each account are done in order, one at a time, through failures and retries`(
        isBatched: Bool
    ) async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha", pool: 10)
        let diary = Diary()
        let failed = NIOLockedValueBox<Set<String>>([])
        let body = { @Sendable (step: AccountStep) throws in
            diary.begin(step)
            // Each third step fails the first time.
            let isFirst = failed.withLockedValue { $0.insert("\(step.account) \(step.number)").inserted }
            let fails = step.number.isMultiple(of: 3) && isFirst
            diary.end(step, isDone: !fails)
            if fails { throw Boom() }
        }
        let handler: Handler =
            isBatched
            ? .batch(AccountStep.self, limit: 50) { jobs, _ in for job in jobs { try body(job.message) } }
            : .transactional(AccountStep.self) { step, _, _ in try body(step) }
        try await alpha.running(queues: [Self.queue()], handlers: [handler]) {
            _ = try await alpha.send(contentsOf: self.steps(5, each: 12))
            try await eventually("all steps are done", within: .seconds(60)) { try await world.isEmpty() }
        }
        for account in 1...5 {
            // A step of a batch that rolled back is done again: the last word counts.
            var last: [Int] = []
            for number in diary.numbers(of: "a\(account)") where !last.contains(number) { last.append(number) }
            #expect(last == Array(1...12), "account \(account)")
        }
        #expect(diary.mostOfAKey == 1)
        #expect(try await world.count("select count(*) from queue.gate") == 0)
        #expect(try await world.violations() == [])
    }

    @Test func `so many of a key run at a time as the queue says`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha", pool: 10)
        let diary = Diary()
        let gate = Gate2(2)
        try await alpha.running(
            queues: [Self.queue(atATime: 2)],
            handlers: [
                .transactional(AccountStep.self) { step, _, _ in
                    diary.begin(step)
                    await gate.arriveAndWait()
                    diary.end(step, isDone: true)
                }
            ]
        ) {
            _ = try await alpha.send(contentsOf: (1...8).map { AccountStep(account: "a", number: $0) })
            try await eventually("all are done") { try await world.isEmpty() }
        }
        // Each waited for a second one beside it, so two ran together, and never three.
        #expect(diary.mostOfAKey == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a dead job holds its key up where money must not skip, until it is skipped or redriven`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let heals = NIOLockedValueBox(false)
        let diary = Diary()
        try await alpha.running(
            queues: [Self.queue(attempts: 1, onDead: .block)],
            handlers: [
                .transactional(AccountStep.self) { step, _, _ in
                    if step.number == 1, !heals.withLockedValue({ $0 }) { throw Boom() }
                    diary.end(step, isDone: true)
                }
            ]
        ) {
            let steps = ["a", "b", "c"].flatMap { name in (1...3).map { AccountStep(account: name, number: $0) } }
            let ids = try await alpha.send(contentsOf: steps)
            let administration = QueueAdministration(world.owner)
            try await eventually("three keys have stopped") {
                try await administration.haltedKeys(in: AccountStep.queue).count == 3
            }
            #expect(diary.done.isEmpty)
            #expect(try await administration.reasons(whyNot: ids[1]).map(\.code) == [.keyBlocked])
            #expect(try await administration.reasons(whyNot: ids[0]).map(\.code) == [.halted])
            #expect(try await world.violations() == [])
            // a: skip the dead one. b: try it again, now that it can be done. c: cancel it.
            #expect(try await administration.skip(ids[0], in: AccountStep.queue, reason: "test"))
            heals.withLockedValue { $0 = true }
            #expect(try await administration.redrive([ids[3]], in: AccountStep.queue, reason: "test") == 1)
            try await eventually("a and b go on") { diary.done.count == 5 }
            #expect(diary.numbers(of: "a") == [2, 3])
            #expect(diary.numbers(of: "b") == [1, 2, 3])
            #expect(diary.numbers(of: "c").isEmpty)
            #expect(try await administration.skip(ids[0], in: AccountStep.queue, reason: "twice") == false)
        }
        #expect(try await world.violations() == [])
    }

    @Test func `a dead job lets the next one of its key run where the queue says so`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let diary = Diary()
        try await alpha.running(
            queues: [Self.queue(attempts: 2)],
            handlers: [
                .transactional(AccountStep.self) { step, _, _ in
                    if step.number == 1 { throw Boom() }
                    diary.end(step, isDone: true)
                }
            ]
        ) {
            _ = try await alpha.send(contentsOf: (1...3).map { AccountStep(account: "a", number: $0) })
            try await eventually("the others are done") { diary.done.count == 2 }
        }
        #expect(diary.numbers(of: "a") == [2, 3])
        #expect(try await world.violations() == [])
    }

    @Test(arguments: [true, false])
    func `what is sent before the first declaration waits in the order of sending, and then runs`(
        isKeyed: Bool
    ) async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        // The owner has never been there: nobody knows whether the keys mean anything.
        let jobs = try await alpha.send(contentsOf: (1...5).map { AccountStep(account: "a", number: $0) })
        // Ids of different senders do not tell who was first; the order of sending does.
        try await world.owner.execute(
            "update queue.arrival set id = \(jobs[4].raw + jobs[0].raw) - id")
        let diary = Diary()
        let queue = QueueDeclaration(AccountStep.queue, order: isKeyed ? .byKey(atATime: 1) : .none)
        try await alpha.running(
            queues: [queue],
            handlers: [.transactional(AccountStep.self) { step, _, _ in diary.end(step, isDone: true) }]
        ) {
            try await eventually("all are done") { diary.done.count == 5 }
        }
        if isKeyed { #expect(diary.numbers(of: "a") == [5, 4, 3, 2, 1]) }
        #expect(try await world.violations() == [])
    }

    /// As of a sender that read the queue before it was keyed and committed behind the declaration.
    @Test(arguments: [false, true])
    func `jobs without a place are called back by whoever would run them, and run in order`(isBatched: Bool)
        async throws
    {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await world.owner.execute(
            """
            select queue.declare('alpha', '[{"name": "alpha.steps", "key_limit": 1}]')
            """)
        _ = try await alpha.send(contentsOf: (1...3).map { AccountStep(account: "a", number: $0) })
        try await world.owner.execute(
            """
            with placed as (delete from queue.arrival returning *)
            insert into queue.ready (slot, queue_id, priority, rank, id, key)
            select (select slot from queue.ring order by generation desc limit 1), queue_id, priority, id, id, key
            from placed
            """)
        let worker = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        let queue = try await world.owner.one("select id from queue.queue where name = \(AccountStep.queue)")
            .value(at: 0, as: Int16.self)
        let claimed = try await world.count(
            isBatched
                ? "select count(id) from queue.take(\(worker), \(queue), 10, 0::smallint, 0)"
                : "select count(id) from queue.look(\(worker), \([queue]), array[10], array[false])")
        #expect(claimed == 0)
        #expect(try await world.count("select count(*) from queue.arrival") == 3)
        let diary = Diary()
        try await alpha.running(
            queues: [Self.queue()],
            handlers: [.transactional(AccountStep.self) { step, _, _ in diary.end(step, isDone: true) }]
        ) {
            try await eventually("all are done") { diary.done.count == 3 }
        }
        #expect(diary.numbers(of: "a") == [1, 2, 3])
        #expect(try await world.violations() == [])
    }

    @Test func `a rescue keeps the place of the key`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        // A worker that claims the head of the key and dies.
        let dead = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        try await world.owner.execute(
            """
            select queue.declare('alpha', '[{"name": "alpha.steps", "key_limit": 1}]')
            """)
        _ = try await alpha.send(contentsOf: (1...3).map { AccountStep(account: "a", number: $0) })
        let claimed = try await world.count(
            """
            select count(id) from queue.look(
                \(dead), array(select id from queue.queue where name = \(AccountStep.queue)), array[10], array[false])
            """)
        #expect(claimed == 1)
        try await world.owner.execute(
            "update queue.lease set deadline = clock_timestamp() - interval '1 second' where worker_id = \(dead)")
        let diary = Diary()
        try await alpha.running(
            queues: [Self.queue()],
            handlers: [.transactional(AccountStep.self) { step, _, _ in diary.end(step, isDone: true) }]
        ) {
            try await eventually("all are done") { diary.done.count == 3 }
        }
        #expect(diary.numbers(of: "a") == [1, 2, 3])
        #expect(try await world.violations() == [])
    }

    @Test func `a key that waits for its time does not let the next one pass`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let diary = Diary()
        let snoozed = NIOLockedValueBox(0)
        try await alpha.running(
            queues: [Self.queue()],
            handlers: [
                .transactional(AccountStep.self) { step, job, _ in
                    #expect(job.attempt == 1)
                    if step.number == 1,
                        snoozed.withLockedValue({
                            $0 += 1
                            return $0
                        }) < 3
                    {
                        throw JobFailure.snooze(for: .milliseconds(20))
                    }
                    diary.end(step, isDone: true)
                }
            ]
        ) {
            _ = try await alpha.send(contentsOf: (1...3).map { AccountStep(account: "a", number: $0) })
            try await eventually("all are done") { diary.done.count == 3 }
        }
        #expect(diary.numbers(of: "a") == [1, 2, 3])
        #expect(try await world.violations() == [])
    }

    @Test func `a hundred thousand jobs behind two keys are touched no more than the one that runs`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await world.owner.execute(
            """
            select queue.declare('alpha', '[{"name": "alpha.steps", "key_limit": 1}]')
            """)
        let crowd = (1...100_000).map { AccountStep(account: $0.isMultiple(of: 2) ? "hot" : "hotter", number: $0) }
        for start in stride(from: 0, to: crowd.count, by: 10_000) {
            _ = try await alpha.send(contentsOf: Array(crowd[start..<start + 10_000]))
        }
        let queue = try await world.owner.one("select id from queue.queue where name = \(AccountStep.queue)")
            .value(at: 0, as: Int16.self)
        while try await world.owner.one("select queue.admit(\(queue), 20000)").value(at: 0, as: Int32.self) >= 0 {
            if try await world.count("select count(*) from queue.arrival") == 0 { break }
        }
        #expect(try await world.count("select count(*) from queue.blocked") == 99_998)
        #expect(try await world.count("select count(*) from queue.ready") == 2)
        // Other keys pass at once, and an end costs the same few pages as it would in an empty queue.
        _ = try await alpha.send(AccountStep(account: "cool", number: 1))
        try await world.owner.execute("select queue.admit(\(queue), 1000)")
        #expect(try await world.count("select count(*) from queue.ready") == 3)
        let plan = try await world.owner.query(
            """
            explain (analyze, buffers, format text) select queue.release(
                \(queue), array['hot'], array[(select aseq from queue.ready where key = 'hot')])
            """
        ).map { try $0.value(at: 0, as: String.self) }
        let buffers =
            plan.compactMap { line in
                line.split(separator: "shared hit=").dropFirst().first?.split(separator: " ").first.flatMap { Int($0) }
            }.max() ?? .max
        #expect(buffers < 400, "\(plan)")
    }
}

/// Lets tasks through in groups of so many.
private actor Gate2 {
    private let size: Int
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(_ size: Int) { self.size = size }

    func arriveAndWait() async {
        guard self.waiters.count + 1 < self.size else {
            for waiter in self.waiters { waiter.resume() }
            self.waiters = []
            return
        }
        await withCheckedContinuation { self.waiters.append($0) }
    }
}
