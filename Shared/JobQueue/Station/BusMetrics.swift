internal import Kernel
internal import Metrics

/// What the bus counts, by service. All names begin with `club_queue_`.
struct BusMetrics: Sendable {
    let bellsSent, bellsFailed, bellsHeard, polls: Counter
    let fenced, reconnects: Counter
    let callsAnswered, callsFailed, callsExpired: Counter
    let callRoundTrip: Timer

    init(_ service: ServiceName) {
        let dimensions = [("service", service.text)]
        func counter(_ name: String) -> Counter { Counter(label: "club_queue_\(name)_total", dimensions: dimensions) }
        func calls(_ outcome: String) -> Counter {
            Counter(label: "club_queue_calls_total", dimensions: dimensions + [("outcome", outcome)])
        }
        self.bellsSent = counter("bells_sent")
        self.bellsFailed = counter("bells_failed")
        self.bellsHeard = counter("bells_heard")
        self.polls = counter("claims")
        self.fenced = counter("fence_hits")
        self.reconnects = counter("reconnects")
        self.callsAnswered = calls("answered")
        self.callsFailed = calls("failed")
        self.callsExpired = calls("expired")
        self.callRoundTrip = Timer(label: "club_queue_call_seconds", dimensions: dimensions)
    }
}

/// What a worker counts, by queue.
struct QueueMetrics: Sendable {
    /// From the sending of a job to the start of its first attempt, delays included.
    let wait: Timer
    /// From the start of a handler to its commit.
    let run: Timer
    let batchSize: Recorder
    let completed, retried, dead, cancelled, postponed, givenBack: Counter

    init(_ queue: QueueName) {
        let dimensions = [("queue", queue.text)]
        func jobs(_ outcome: String) -> Counter {
            Counter(label: "club_queue_jobs_total", dimensions: dimensions + [("outcome", outcome)])
        }
        self.wait = Timer(label: "club_queue_wait_seconds", dimensions: dimensions)
        self.run = Timer(label: "club_queue_run_seconds", dimensions: dimensions)
        self.batchSize = Recorder(label: "club_queue_batch_jobs", dimensions: dimensions)
        self.completed = jobs("completed")
        self.retried = jobs("retried")
        self.dead = jobs("dead")
        self.cancelled = jobs("cancelled")
        self.postponed = jobs("postponed")
        self.givenBack = jobs("given_back")
    }

    /// Of what was lost the bus keeps count.
    func count(_ ending: JobEnding, jobs: Int = 1) {
        switch ending {
        case .completed: self.completed.increment(by: jobs)
        case .failed: self.retried.increment(by: jobs)
        case .dead: self.dead.increment(by: jobs)
        case .cancelled: self.cancelled.increment(by: jobs)
        case .postponed: self.postponed.increment(by: jobs)
        case .givenBack: self.givenBack.increment(by: jobs)
        case .lost: break
        }
    }
}
