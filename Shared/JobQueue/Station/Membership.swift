internal import Glibc
internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres

/// The life of one process among the others of its service.
///
/// A worker is a row, a heartbeat, and an advisory lock that its control session holds. Others of the service declare
/// it dead when it was not seen for 3 s *and* its lock is free, and give its jobs to the living:
///
///     time, s   0        1        2        3        4
///     worker    beat ─── beat ─ ✗ kill -9
///     lock      held ─────────  ┴ free: the kernel closes the socket, the server ends the session
///     seen_at   0        1                         4  older than 3 s
///     others    tend     tend     tend     tend     tend ─► leases moved back to ready, bell
///
/// The lock alone would kill a worker whose connection has broken (it reconnects and rejoins under its number); the
/// heartbeat alone one whose machine was busy. After a restart of the server every lock is free for a moment:
/// a process that has just joined rescues nobody for 2 s, time enough for the others to come back.
/// Whoever was declared dead by mistake learns it from its next beat and registers anew; what it still completes under
/// its old number is stopped by the fence.
///
/// Behind a pooler of transactions (``Listening/pollOnly``) there is no session to hold a lock: such a process is dead
/// when it was not seen for 15 s. A machine that stands still for longer loses its jobs to others, never their effects.
final class Membership: Sendable {
    struct Joined: Sendable {
        let worker: Int32
        let control: Connection
    }

    static let heartbeat = Duration.seconds(1)
    static let longestPause = Duration.seconds(1)

    private let service: ServiceName
    private let database: Database
    private let isSessionless: Bool
    private let metrics: BusMetrics
    private let logger: Logger
    private let state = NIOLockedValueBox<Joined?>(nil)
    private let sign = NIOLockedValueBox(false)
    private let watcher = NIOLockedValueBox<(@Sendable (Joined?) -> Void)?>(nil)

    init(service: ServiceName, database: Database, isSessionless: Bool, metrics: BusMetrics, logger: Logger) {
        self.service = service
        self.database = database
        self.isSessionless = isSessionless
        self.metrics = metrics
        self.logger = logger
    }

    /// The present membership; nil while the database is away.
    var joined: Joined? { self.state.withLockedValue { $0 } }

    /// Tells the one who watches of every joining and losing, in the task of the membership.
    func watch(_ body: @escaping @Sendable (Joined?) -> Void) {
        self.watcher.withLockedValue { $0 = body }
    }

    /// Joins, beats, and joins again, until the task is cancelled; then leaves.
    /// - Parameter prepare: runs on every new session before others see it, such as the declaration of the queues.
    func run(prepare: @Sendable (Connection) async throws -> Void) async {
        var number: Int32?
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                try await self.database.withConnection { control in
                    try await prepare(control)
                    let worker = try await self.join(control, as: number)
                    number = worker
                    pause = .milliseconds(50)
                    self.publish(Joined(worker: worker, control: control))
                    defer { self.publish(nil) }
                    try await self.beat(worker, control)
                }
                number = nil
                self.logger.info("Declared dead by another worker; registering anew")
            } catch {
                guard !Task.isCancelled else { break }
                self.metrics.reconnects.increment()
                self.logger.info(
                    "Control session lost; reconnecting", metadata: ["error": "\(Failure(error).code)"])
                try? await ContinuousClock().sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// A round of chores has just written down that this process lives: that spares every other beat.
    func hasShownLife() {
        self.sign.withLockedValue { $0 = true }
    }

    private func takeSign() -> Bool {
        self.sign.withLockedValue { sign in
            defer { sign = false }
            return sign
        }
    }

    private func join(_ control: Connection, as number: Int32?) async throws -> Int32 {
        if let number, try await control.one(LifeStatements.rejoin(number)).value(at: 0, as: Bool.self) {
            return number
        }
        let row = try await control.one(
            LifeStatements.register(
                self.service, host: Self.host, pid: getpid(), isSessionless: self.isSessionless))
        return try row.value(at: 0)
    }

    /// Returns when the worker was declared dead.
    private func beat(_ worker: Int32, _ control: Connection) async throws {
        do {
            repeat {
                try await ContinuousClock().sleep(for: Self.heartbeat)
                // The chores have said that we live; a beat is due all the same, for the session and its lock.
                if self.takeSign() { try await ContinuousClock().sleep(for: Self.heartbeat) }
            } while try await control.one(LifeStatements.beat(worker)).value(at: 0, as: Bool.self)
        } catch is CancellationError {
            await self.leave(worker, control)
            throw CancellationError()
        }
    }

    /// Gives back what is still leased and frees the lock.
    private func leave(_ worker: Int32, _ control: Connection) async {
        // Unowned: the present task is cancelled, and what it owes to others must be done all the same.
        await Task {
            do {
                try await control.execute(LifeStatements.leave(worker))
            } catch {
                // The session is gone, and with it the lock: the others will find out.
                self.logger.debug("Could not leave", metadata: ["error": "\(Failure(error).code)"])
            }
        }.value
    }

    private func publish(_ joined: Joined?) {
        self.state.withLockedValue { $0 = joined }
        self.watcher.withLockedValue { $0 }?(joined)
    }

    private static let host: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }()
}
