internal import Kernel
internal import Metrics
internal import Postgres

/// What runs for a bus as long as its worker runs.
extension Bus {
    /// Hears bells, rings, fetches answers and keeps the membership, until the task is cancelled.
    func runStation(prepare: @escaping @Sendable (Connection) async throws -> Void) async {
        let resident = self.neighbourhood.enter(
            self.service, Neighbourhood.Resident(work: self.work, answers: self.answers))
        defer { self.neighbourhood.leave(self.service, resident) }
        self.membership.watch { [neighbourhood, answers, work] joined in
            neighbourhood.leave(answers: answers)
            if let joined { neighbourhood.enter(instance: joined.worker, answers: answers) }
            answers.ring(.change)
            work.ring(.bell)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.hear() }
            group.addTask { await self.fetchAnswers() }
            group.addTask { await self.doorbell.run { try await self.perform($0) } }
            group.addTask { await self.membership.run(prepare: prepare) }
        }
        self.calls.stop(CallError.stopped)
    }

    /// On the control session, which is never busy for long; on any connection while that is away.
    func perform(_ sql: SQL) async throws {
        if let control = self.membership.joined?.control {
            try await control.execute(sql)
        } else {
            try await self.database.execute(sql)
        }
    }

    private func hear() async {
        guard self.listening == .bells else { return }
        for await bell in self.listener.notifications(["queue_" + self.service.text]) {
            switch bell {
            case .reconnected:
                self.work.ring(.bell)
                self.answers.ring(.bell)
            case .notification(_, let payload):
                await self.heard(payload)
            }
        }
    }

    /// "work <sleepers>", "answer <instance>" or "cancel <job>".
    private func heard(_ payload: String) async {
        self.metrics.bellsHeard.increment()
        let words = payload.split(separator: " ")
        if words.first == "cancel" {
            if let job = words.last.flatMap({ Int64($0) }) { self.running.cancel(JobID(job)) }
            return
        }
        switch (words.first, words.last.flatMap { Int32($0) }) {
        case ("answer", let instance?):
            if instance == self.membership.joined?.worker { self.answers.ring(.bell) }
        case ("work", let sleepers?) where sleepers > 1:
            // Several processes woke up for the same work: let them not all look in the same moment.
            try? await ContinuousClock().sleep(for: .microseconds(Int64.random(in: 0...2000)))
            self.work.ring(.bell)
        default:
            self.work.ring(.bell)
        }
    }
}
