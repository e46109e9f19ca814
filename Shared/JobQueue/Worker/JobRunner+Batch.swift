internal import Kernel
internal import Metrics
internal import Postgres

/// What batches have in common, whether their transaction holds their claim (``BatchRunner``) or a lease does
/// (``LeasedBatchRunner``).
extension JobRunner {
    /// The jobs that handlers here can do, by kind, and those whose kind or version no handler here knows.
    func sort(
        _ jobs: [ClaimedJob], of queue: QueueName
    ) -> (known: [(kind: String, jobs: [ClaimedJob])], unknown: [ClaimedJob]) {
        var known: [(kind: String, jobs: [ClaimedJob])] = []
        var unknown: [ClaimedJob] = []
        for (kind, group) in Self.groups(jobs) {
            guard let handler = self.handlers[queue]?[kind], case .batch = handler.body else {
                unknown += group
                continue
            }
            known.append((kind, group.filter { $0.version <= handler.version }))
            unknown += group.filter { $0.version > handler.version }
        }
        return (known.filter { !$0.jobs.isEmpty }, unknown)
    }

    /// Calls the handlers for jobs that they know, one kind after the other.
    func perform(
        _ groups: [(kind: String, jobs: [ClaimedJob])], of queue: QueueName, in transaction: borrowing Transaction
    ) async throws {
        for (kind, group) in groups {
            guard let first = group.first, case .batch(_, let body) = self.handlers[queue]?[kind]?.body else {
                continue
            }
            let deliveries = group.map { self.delivery($0, of: queue) }
            try await TraceContext.$current.withValue(self.trace(of: first)) {
                try await self.bus.middleware.run(deliveries.map(\.context), of: kind) {
                    try await body(deliveries, transaction)
                }
            }
        }
    }

    /// A batch has committed.
    func batchDone(_ jobs: [ClaimedJob], of queue: QueueName, since started: ContinuousClock.Instant) {
        self.metrics[queue]?.batchSize.record(jobs.count)
        self.metrics[queue]?.run.recordSeconds((ContinuousClock.now - started).inSeconds)
        self.batchEnded(jobs, .completed, of: queue)
    }

    /// Counts them, and tells whoever wants to know.
    func batchEnded(_ jobs: [ClaimedJob], _ ending: JobEnding, of queue: QueueName) {
        guard !jobs.isEmpty else { return }
        self.metrics[queue]?.count(ending, jobs: jobs.count)
        guard !self.bus.middleware.isEmpty else { return }
        for (kind, group) in Self.groups(jobs) {
            self.bus.middleware.ended(group.map { self.delivery($0, of: queue).context }, of: kind, ending)
        }
    }

    /// Kinds in the order in which they first appear; the order of sending within a kind.
    static func groups(_ jobs: [ClaimedJob]) -> [(kind: String, jobs: [ClaimedJob])] {
        var groups: [(kind: String, jobs: [ClaimedJob])] = []
        var positions: [String: Int] = [:]
        for job in jobs {
            if let position = positions[job.kind] {
                groups[position].jobs.append(job)
            } else {
                positions[job.kind] = groups.count
                groups.append((job.kind, [job]))
            }
        }
        return groups
    }
}
