internal import JobQueue
internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres
internal import ServiceLifecycle

/// How the service's queues and its database stand, as metrics, for whoever watches them. Each service tells of its own.
///
/// - Every 15 seconds, by `queue`: `club_queue_depth` (by `state`: `ready`, `deferred`, `running`, `blocked`),
///   `club_queue_oldest_ready_seconds`, `club_queue_dead_letters`, `club_queue_halted_keys`, `club_queue_paused` (0 or 1).
/// - Every minute: `club_database_size_bytes`, `club_database_sessions`, `club_database_sessions_max`,
///   `club_database_wraparound_age`, `club_database_deadlocks`, `club_database_replication_lag_bytes` and
///   `club_database_replication_slots` (by `state`); by `schema`, of the service and of the queue:
///   `club_database_schema_bytes`, `club_database_live_rows`, `club_database_dead_rows`.
struct ServiceGauges: Service {
    let service: ServiceName
    let database: Database
    let logger: Logger

    private static let pause = Duration.seconds(15)
    /// Of so many looks at the queues, one is at the database too.
    private static let databaseEvery = 4

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let (queues, tables) = (QueueGauges(), DatabaseGauges())
            var look = 0
            repeat {
                do {
                    queues.record(try await QueueAdministration(self.database).stats())
                    if look % Self.databaseEvery == 0 {
                        try await tables.record(self.database, schema: self.service.text)
                    }
                } catch is CancellationError {
                    return
                } catch {
                    self.logger.debug("Could not look at the queues or the database", metadata: ["error": "\(error)"])
                }
                look += 1
            } while (try? await ContinuousClock().sleep(for: Self.pause)) != nil
        }
    }
}

/// Gauges by queue, made when a queue is first seen.
private final class QueueGauges: Sendable {
    private struct Series: Sendable {
        let ready, deferred, running, blocked, oldest, dead, halted, paused: Gauge

        init(_ queue: QueueName) {
            let own = [("queue", queue.text)]
            func depth(_ state: String) -> Gauge {
                Gauge(label: "club_queue_depth", dimensions: own + [("state", state)])
            }
            (self.ready, self.deferred) = (depth("ready"), depth("deferred"))
            (self.running, self.blocked) = (depth("running"), depth("blocked"))
            self.oldest = Gauge(label: "club_queue_oldest_ready_seconds", dimensions: own)
            self.dead = Gauge(label: "club_queue_dead_letters", dimensions: own)
            self.halted = Gauge(label: "club_queue_halted_keys", dimensions: own)
            self.paused = Gauge(label: "club_queue_paused", dimensions: own)
        }
    }

    private let made = NIOLockedValueBox<[QueueName: Series]>([:])

    func record(_ queues: [QueueStatus]) {
        for queue in queues {
            let series = self.made.withLockedValue { made in
                let series = made[queue.name] ?? Series(queue.name)
                made[queue.name] = series
                return series
            }
            series.ready.record(queue.ready)
            series.deferred.record(queue.deferred)
            series.running.record(queue.running)
            series.blocked.record(queue.blocked)
            series.oldest.record(queue.oldestReady.map { $0 / .seconds(1) } ?? 0)
            series.dead.record(queue.dead)
            series.halted.record(queue.halted)
            series.paused.record(queue.pausedAt == nil ? 0 : 1)
        }
    }
}

/// How the pool of connections stands, read when somebody asks for the metrics.
///
/// `club_pool_connections` (by `state`: `lent`, `idle`, `opening`), `club_pool_size`, `club_pool_waiting`;
/// `club_pool_waits_total`, `club_pool_wait_seconds_total` (of callers that had to wait and were served) and
/// `club_pool_refusals_total` (of those who were not: the pool was exhausted, or they waited too long).
final class PoolGauges: Sendable {
    private let database: Database
    private let lent = Gauge(label: "club_pool_connections", dimensions: [("state", "lent")])
    private let idle = Gauge(label: "club_pool_connections", dimensions: [("state", "idle")])
    private let opening = Gauge(label: "club_pool_connections", dimensions: [("state", "opening")])
    private let size = Gauge(label: "club_pool_size")
    private let waiting = Gauge(label: "club_pool_waiting")
    private let waits = Counter(label: "club_pool_waits_total")
    private let waited = FloatingPointCounter(label: "club_pool_wait_seconds_total")
    private let refusals = Counter(label: "club_pool_refusals_total")
    private let last = NIOLockedValueBox(PoolTotals())

    /// Takes the metrics factory of the present task.
    init(_ database: Database) {
        self.database = database
    }

    func read() {
        let reading = self.database.poolReading
        self.lent.record(reading.lent)
        self.idle.record(reading.idle)
        self.opening.record(reading.opening)
        self.size.record(self.database.configuration.pool.size)
        self.waiting.record(reading.waiting)
        // Two may ask at the same time: what the one has added the other must not add again.
        self.last.withLockedValue { last in
            self.waits.increment(by: max(0, reading.totals.waits - last.waits))
            self.waited.increment(by: max(0, (reading.totals.waited - last.waited) / .seconds(1)))
            self.refusals.increment(by: max(0, reading.totals.refusals - last.refusals))
            if reading.totals.waits + reading.totals.refusals >= last.waits + last.refusals { last = reading.totals }
        }
    }
}
