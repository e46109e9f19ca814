import JobQueueTesting
import Kernel
import Postgres
import TestSupport

/// One random history on the real bus and on the one in memory at the same time.
struct Lockstep {
    /// Where the two said different things, or an invariant did not hold.
    struct Disagreement: CustomStringConvertible {
        let seed: UInt64
        let step: Int
        let findings: [String]
        let trail: [String]

        var description: String {
            """
            Replay with CLUB_MODEL_SEED=\(self.seed) CLUB_MODEL_STEPS=\(self.step + 1). At step \(self.step):
            \(self.findings.joined(separator: "\n"))
            after
            \(self.trail.suffix(20).joined(separator: "\n"))
            """
        }
    }

    let seed: UInt64
    let steps: Int

    /// Runs the history in the database of the present test. nil: they agreed to the end.
    func run(in world: World) async throws -> Disagreement? {
        try await PostgresDriver.with("alpha", world.database("alpha"), owner: world.owner) { real in
            try await self.run(real, MemoryDriver())
        }
    }

    private func run(_ real: PostgresDriver, _ model: MemoryDriver) async throws -> Disagreement? {
        let firstID = newJobIDs()
        var queues: [Int16] = []
        for policy in History.policies {
            let number = try await real.declare(policy)
            queues.append(number)
            guard await model.declare(policy) == number else { throw NumbersDiffer() }
        }
        var workers: [Int32] = []
        for _ in 0..<2 {
            let worker = try await real.register()
            workers.append(worker)
            guard await model.register() == worker else { throw NumbersDiffer() }
        }
        var history = History(seed: self.seed, firstID: firstID, queues: queues, workers: workers)
        var now = QueueSnapshot()
        var trail: [String] = []
        for index in 0..<self.steps {
            let step = history.next(now)
            let expected = try await step.perform(on: model)
            now = await model.snapshot()
            var findings: [String] = []
            do {
                let answer = try await step.perform(on: real)
                if answer != expected { findings.append("the bus says \(answer), the model says \(expected)") }
                findings += try await real.snapshot().differences(from: now)
                findings += try await real.violations()
            } catch let error as DatabaseError {
                findings.append("\(error) \(error.message ?? "")")
            }
            findings += await model.violations()
            trail.append("\(index): \(step) -> \(expected)")
            if !findings.isEmpty {
                return Disagreement(seed: self.seed, step: index, findings: findings, trail: trail)
            }
            history.note(step, expected)
        }
        return nil
    }

    /// The two number queues and workers differently: the database is not fresh.
    private struct NumbersDiffer: Error {}
}
